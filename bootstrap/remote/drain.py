"""How running builds are waited for before Jenkins restarts: what `converge.draining` on the machine is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bootstrap.environment.models import JenkinsSettings
from bootstrap.remote.desired.base import JENKINS_PORT
from bootstrap.remote.desired.jenkins import TOOLKIT_SECRETS

UNIT = "jenkins.service"
USER = "toolkit"
Drain = Mapping[str, Mapping[str, Any]]
# A token before the password, for it needs no crumb. As Jenkins keeps tokens by their hashes, '11' stands before each.
_SECRETS = (
    {"path": f"{TOOLKIT_SECRETS}/token", "prefix": "11"},
    {"path": f"{TOOLKIT_SECRETS}/password", "prefix": ""},
)


def of(settings: JenkinsSettings, url: str, *, waits: bool) -> Drain:
    """By the unit's name, how its builds are waited for; `url` is where Jenkins' users open it.

    The build of that Jenkins in which this tool runs, where it does, is named: waiting for it would never end.
    """
    build = os.environ.get("BUILD_URL", "")
    wish = {
        "url": f"http://127.0.0.1:{JENKINS_PORT}/",
        "user": USER,
        "secrets": list(_SECRETS),
        "seconds": settings.drain_minutes * 60 if waits else 0,
        "own": build if build.startswith(url) else "",
    }
    return {UNIT: wish}


def seconds_of(drain: Drain) -> float:
    """How long the waiting may take at most."""
    return sum(float(wish["seconds"]) for wish in drain.values())
