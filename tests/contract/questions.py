"""Questions that a Pipeline asks, and their answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jenkins

Xml = Callable[[str], str]


def stage(steps: str, more: str = "") -> str:
    return f"pipeline {{\nagent any\nstages {{\nstage('One') {{\n{more}\nsteps {{\n{steps}\n}}\n}}\n}}\n}}"


def asked(server: Any, name: str, xml: str, text: str = "Go on?") -> int:
    """A build of a new job that has asked its question."""
    server.create("", name, xml)
    number = int(server.begin(name))
    server.until(lambda: text in server.client.get_build_console_output(name, number))
    return number


def with_token(server: Any) -> jenkins.Jenkins:
    """A client as the toolkit's own: an API token needs no crumb."""
    path = f"user/{server.user}/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"
    token = server.post(path, data={"newTokenName": "follows"}).json()["data"]["tokenValue"]
    return jenkins.Jenkins(server.url, server.user, token, timeout=60)
