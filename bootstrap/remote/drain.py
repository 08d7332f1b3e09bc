"""How running builds are waited for before Jenkins restarts: what `converge.draining` on the machine is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bootstrap.environment.models import JenkinsSettings
from bootstrap.remote.desired import agent

UNIT = "jenkins.service"
Drain = Mapping[str, Mapping[str, Any]]


def of(settings: JenkinsSettings, url: str, *, waits: bool) -> Drain:
    """By the names of Jenkins' unit and its agent's, how their builds are waited for; `url` is where users open Jenkins.

    The build of that Jenkins in which this tool runs, where it does, is named: waiting for it would never end.
    """
    build = os.environ.get("BUILD_URL", "")
    wish = {
        "url": agent.LOCAL_URL,
        "user": agent.TOOLKIT_USER,
        "secrets": list(agent.SIGN_IN),
        "seconds": settings.drain_minutes * 60 if waits else 0,
        "own": build if build.startswith(url) else "",
    }
    return {UNIT: wish, agent.UNIT: {**wish, "is_jenkins": False}}


def seconds_of(drain: Drain) -> float:
    """How long the waiting may take at most."""
    return sum(float(wish["seconds"]) for wish in drain.values())
