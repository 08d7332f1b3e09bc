"""The settings for `converge.draining` on the machine: how to wait for running builds before Jenkins restarts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bootstrap.environment.models import JenkinsSettings
from bootstrap.remote.desired import agent

UNIT = "jenkins.service"
Drain = Mapping[str, Mapping[str, Any]]


def make_drain_settings(settings: JenkinsSettings, url: str, *, waits: bool) -> Drain:
    """The settings for waiting, by the names of the units of Jenkins and its agents; `url` is where users open Jenkins.

    If the toolkit runs in a build of that Jenkins, `own` names the build: waiting for it would never end.
    """
    build = os.environ.get("BUILD_URL", "")
    drain_settings = {
        "url": agent.LOCAL_URL,
        "user": agent.TOOLKIT_USER,
        "secrets": list(agent.SIGN_IN),
        "seconds": settings.drain_minutes * 60 if waits else 0,
        "own": build if build.startswith(url) else "",
    }
    return {UNIT: drain_settings, **{each.unit: {**drain_settings, "is_jenkins": False} for each in agent.AGENTS}}


def compute_longest_wait(drain: Drain) -> float:
    """The longest time that the waiting may take."""
    return sum(float(each["seconds"]) for each in drain.values())
