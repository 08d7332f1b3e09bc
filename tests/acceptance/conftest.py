"""Opens the environment, and gathers what the chosen checks look at before the first of them runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import agent_groups  # noqa: F401 (adds its gatherers)
import hardening  # noqa: F401 (adds its gatherers)
import own_settings  # noqa: F401 (adds its gatherers)
import pytest
from canary import Build
from evidence import GATHERERS, Evidence
from handshake import Place
from shell_backend import ShellBackend
from subject import Subject
from testinfra.host import Host

from bootstrap.acts.verify import ENVIRONMENT_VARIABLE
from bootstrap.context import Context, open_context
from bootstrap.errors import BootstrapError

_AWS = ("autoscaling", "cloudformation", "ec2", "iam", "s3", "secretsmanager")


@pytest.fixture(scope="session")
def context() -> Iterator[Context]:
    """The environment that the variable names, opened; without it there is nothing to check, and the suite ends."""
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if not named:
        pytest.exit(
            f"{ENVIRONMENT_VARIABLE} must name an environment file, as 'bootstrap.py verify' does", returncode=3
        )
    try:
        with open_context(Path(named)) as opened:
            # Looked up here, in one thread: what is looked up at first use is not made for several.
            _ = opened.controller, opened.jenkins, opened.stacks, opened.lock
            _ = [opened.world.aws(service) for service in _AWS]
            yield opened
    except BootstrapError as error:
        pytest.exit(f"{type(error).__name__}: {error}", returncode=3)


@pytest.fixture(scope="session")
def host(context: Context) -> Host:
    """testinfra's host, over the toolkit's own connection."""
    return Host(ShellBackend(context.shell, context.machine.address))


@pytest.fixture(scope="session")
def place(context: Context) -> Iterator[Place]:
    """Where TLS is spoken: at the machine's address, or through the tunnel where nobody is let in from outside."""
    name = urlsplit(context.url).hostname or context.machine.address
    if context.settings.access.operator_cidrs or context.world.is_on_machine:
        yield Place(context.machine.address, 443, name)
        return
    with context.shell.forward(443) as port:
        yield Place("127.0.0.1", port, name)


@pytest.fixture(scope="session")
def evidence(context: Context, host: Host, place: Place, request: pytest.FixtureRequest) -> Iterator[Evidence]:
    """What the chosen checks look at, gathered once for all of them."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    with contextlib.closing(Evidence(Subject(context, host, context.jenkins.server, place), wanted)) as gathered:
        yield gathered


def _fixture_for(name: str) -> Any:
    def found(evidence: Evidence) -> Any:
        return evidence.of(name)

    return pytest.fixture(scope="session", name=name)(found)


for _name in GATHERERS:
    globals()[f"_{_name}"] = _fixture_for(_name)


@pytest.fixture(scope="session")
def started_build(canary_build: Build) -> Build:
    """The canary's build; that it could not start is a finding of its own, and leaves those out that look at the build."""
    if canary_build.hindrance:
        pytest.skip(f"the canary could not start: {canary_build.hindrance}")
    return canary_build
