"""Finds the identity of a build: that of the first authenticator in `queueItemAuthenticator` that gives one, else SYSTEM.

The rules are those of the plugin authorize-project. The triggering user is searched in the upstream builds, too. A user who
does not exist, or has no password, is anonymous. For a job without a build (which jobs it may follow, which credentials it may
use) the identity is that of a build without a cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import xmlfile
from .build_record import Cause
from .home import Home
from .job_configuration import JobConfiguration
from .security import ANONYMOUS, Identity

SYSTEM = "SYSTEM"
_JOB_STRATEGY = "properties/org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty/strategy"
_PACKAGE = "org.jenkinsci.plugins.authorizeproject.strategy."


def find_identity(home: Home, job: JobConfiguration, causes: Sequence[Cause] = ()) -> str:
    """Find the identity of a build with these causes: the id of a user, 'anonymous' or 'SYSTEM'."""
    authenticators = home.configuration.read("security", "queueItemAuthenticator", "authenticators", default=[])
    for entry in authenticators:
        ((kind, settings),) = entry.items()
        strategy = _read_strategy(settings) if kind == "global" else _read_job_strategy(job, settings or {})
        identity = _apply_strategy(home, strategy, causes) if strategy else None
        if identity is not None:
            return identity
    return SYSTEM


def may(home: Home, name: str, permission: str) -> bool:
    """Whether the identity of a build has a permission."""
    return name == SYSTEM or home.authorization.allows(Identity(name), permission)


def may_use_credentials(home: Home, job: JobConfiguration) -> bool:
    """Whether the builds of a job may use credentials; this depends on the job, not on who started the build."""
    return may(home, find_identity(home, job), "Credentials/UseItem")


def _read_strategy(settings: Any) -> tuple[str, dict[str, Any]] | None:
    strategy = (settings or {}).get("strategy")
    if not strategy:
        return None
    ((name, values),) = strategy.items()
    return name, values or {}


def _read_job_strategy(job: JobConfiguration, settings: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Read the strategy that the job itself names; None if the settings do not enable it."""
    node = job.root.find(_JOB_STRATEGY)
    kind = "" if node is None else str(node.get("class"))
    if kind not in (settings.get("enabledStrategies") or []):
        return None
    name = kind.removeprefix(_PACKAGE)
    return name[:1].lower() + name[1:], {"userid": xmlfile.read_text(node, "userid")}


def _apply_strategy(home: Home, strategy: tuple[str, dict[str, Any]], causes: Sequence[Cause]) -> str | None:
    name, values = strategy
    match name:
        case "triggeringUsersAuthorizationStrategy":
            user = _find_triggering_user(home, causes)
            return None if user is None else _impersonate(home, user)
        case "specificUsersAuthorizationStrategy":
            return _impersonate(home, str(values.get("userid") or ""))
        case "anonymousAuthorizationStrategy":
            return ANONYMOUS
        case _:
            return SYSTEM


def _find_triggering_user(home: Home, causes: Sequence[Cause]) -> str | None:
    """Find the user who started the build, or the nearest upstream build that a user started."""
    while causes:
        started = [cause.values["userId"] for cause in causes if "userId" in cause.values]
        if started:
            return started[0]
        before = [cause.values for cause in causes if cause.kind.endswith("$UpstreamCause")]
        job = home.find_job(before[-1]["upstreamProject"]) if before else None
        build = job.history.find(before[-1]["upstreamBuild"]) if job else None
        causes = build.causes if build else ()
    return None


def _impersonate(home: Home, name: str) -> str:
    user = home.users.find(name)
    return user.identifier if user and user.password else ANONYMOUS
