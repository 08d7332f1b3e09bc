"""The identity of a build: from the first authenticator of `queueItemAuthenticator` that has one, otherwise SYSTEM.

As authorize-project does it: the triggering user is found through the builds before, a specific user is always the same, and an
account that is not there or has no password is nobody. Whatever is asked of a job without a build (what it may follow, which
credentials it is lent) is answered as for a build without a cause.
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
_OF_JOB = "properties/org.jenkinsci.plugins.authorizeproject.AuthorizeProjectProperty/strategy"
_PACKAGE = "org.jenkinsci.plugins.authorizeproject.strategy."


def identity_of(home: Home, job: JobConfiguration, causes: Sequence[Cause] = ()) -> str:
    """The identity of a build with these causes: the name of a user, 'anonymous' or 'SYSTEM'."""
    authenticators = home.configuration.value("security", "queueItemAuthenticator", "authenticators", default=[])
    for entry in authenticators:
        ((kind, settings),) = entry.items()
        strategy = _strategy(settings) if kind == "global" else _strategy_of(job, settings or {})
        identity = _answer(home, strategy, causes) if strategy else None
        if identity is not None:
            return identity
    return SYSTEM


def may(home: Home, name: str, permission: str) -> bool:
    """Whether the identity of a build has a permission."""
    return name == SYSTEM or home.authorization.allows(Identity(name), permission)


def may_use_credentials(home: Home, job: JobConfiguration) -> bool:
    """Whether the builds of a job may use credentials; this depends on the job, not on who started the build."""
    return may(home, identity_of(home, job), "Credentials/UseItem")


def _strategy(settings: Any) -> tuple[str, dict[str, Any]] | None:
    strategy = (settings or {}).get("strategy")
    if not strategy:
        return None
    ((name, values),) = strategy.items()
    return name, values or {}


def _strategy_of(job: JobConfiguration, settings: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The strategy that a job itself names, where the settings enable it."""
    node = job.root.find(_OF_JOB)
    kind = "" if node is None else str(node.get("class"))
    if kind not in (settings.get("enabledStrategies") or []):
        return None
    name = kind.removeprefix(_PACKAGE)
    return name[:1].lower() + name[1:], {"userid": xmlfile.text(node, "userid")}


def _answer(home: Home, strategy: tuple[str, dict[str, Any]], causes: Sequence[Cause]) -> str | None:
    name, values = strategy
    match name:
        case "triggeringUsersAuthorizationStrategy":
            user = _triggering_user(home, causes)
            return None if user is None else _impersonated(home, user)
        case "specificUsersAuthorizationStrategy":
            return _impersonated(home, str(values.get("userid") or ""))
        case "anonymousAuthorizationStrategy":
            return ANONYMOUS
        case _:
            return SYSTEM


def _triggering_user(home: Home, causes: Sequence[Cause]) -> str | None:
    """Whoever started the build, or the first of the builds before it that somebody started."""
    while causes:
        started = [cause.values["userId"] for cause in causes if cause.kind.endswith("$UserIdCause")]
        if started:
            return started[0]
        before = [cause.values for cause in causes if cause.kind.endswith("$UpstreamCause")]
        job = home.find_job(before[-1]["upstreamProject"]) if before else None
        build = job.history.find(before[-1]["upstreamBuild"]) if job else None
        causes = build.causes if build else ()
    return None


def _impersonated(home: Home, name: str) -> str:
    user = home.users.find(name)
    return user.identifier if user and user.password else ANONYMOUS
