"""The machine's role in a cloud of the module's own, and environments that are opened with its keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from callers import ONCE
from machine_role import BLOCKS, HEAD, UNREADABLE, _named, roles_of_the_controller

from bootstrap.cloud import promotion
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.preconditions import host_inputs
from tests.aws.conftest import Cloud


@pytest.fixture
def opened(module_cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Context]:
    """Opens an environment in the name of the operator, or of the owner of `keys`."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))

    def run(name: str, options: str = "", keys: dict[str, str] | None = None) -> Context:
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        for variable, value in (keys or module_cloud.keys).items():
            monkeypatch.setenv(variable.upper(), value)
        path = folder / f"{name}.yaml"
        path.write_text(HEAD.format(name, BLOCKS[name]) + options)
        made = Context(path, settings.load(path), module_cloud.endpoint)
        if keys:  # a job runs on the environment's machine, where a file says so
            made.world.__dict__["is_on_machine"] = True
        return made

    return run


@pytest.fixture(scope="module")
def secrets(module_cloud: Cloud) -> dict[str, str]:
    manager = module_cloud.client("secretsmanager")
    names = ("ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret", *UNREADABLE)
    return {name: manager.create_secret(Name=name, SecretString=f"of {name}")["ARN"] for name in names}


@pytest.fixture(scope="module")
def roles(module_cloud: Cloud, secrets: dict[str, str]) -> dict[str, str]:
    return roles_of_the_controller(module_cloud, secrets)


@pytest.fixture(scope="module")
def role(roles: dict[str, str]) -> str:
    return roles["Role"]


@pytest.fixture(scope="module")
def keys(module_cloud: Cloud, role: str) -> dict[str, str]:
    """Temporary keys of the machine's role."""
    return _named(
        module_cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="i-0123456789abcdef0")["Credentials"]
    )


@pytest.fixture(scope="module")
def approved(module_cloud: Cloud, roles: dict[str, str]) -> dict[str, str]:
    """Temporary keys that the person who approves passes to the job."""
    told = json.loads(promotion.take_session(module_cloud.client("sts"), roles["Promotion"], "network-1").reveal())
    return _named(told)


@pytest.fixture(scope="module")
def inside(module_cloud: Cloud, keys: dict[str, str]) -> Callable[[str], Any]:
    """Clients with the machine's keys."""
    made: dict[str, Any] = {}

    def run(service: str) -> Any:
        if service not in made:
            region = "eu-central-1"
            made[service] = boto3.client(
                service, endpoint_url=module_cloud.endpoint, region_name=region, config=ONCE, **keys
            )
        return made[service]

    return run
