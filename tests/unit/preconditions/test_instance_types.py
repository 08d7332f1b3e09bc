"""Types of instances that a region lacks, or that do not fit, are refused at their place: asked by EC2's own model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bootstrap.environment import settings
from bootstrap.preconditions import instance_types

WHOLE = "environment: trial\ncloud: aws\nowner: a\ncost_center: b\nregion: eu-central-1\nnetwork:\n  nat: one\n"
NAMES = ("network", "controller", "bastion", "agents-linux")


def find(folder: Path, text: str, names: tuple[str, ...] = NAMES, *, is_on_machine: bool = False) -> list[str]:
    path = folder / "trial.yaml"
    path.write_text(WHOLE + text)

    def aws(service: str) -> Any:
        return boto3.client(service, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")

    world = SimpleNamespace(aws=aws, is_on_machine=is_on_machine)
    context: Any = SimpleNamespace(settings=settings.load(path), environment_file=path, world=world, stacks={})
    with mock_aws():
        faults = list(instance_types.find_faults(context, names))
        return [str(it).partition("trial.yaml:")[2] for it in settings.place_faults(path, faults)]


def test_types_that_fit_are_taken(tmp_path: Path) -> None:
    text = "  bastion: {}\nagents:\n  linux:\n    instance_types: [m7g.large, t4g.large]\n"

    assert [] == find(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "controller:\n  instance_type: t9.large\n",
            "9:18: controller.instance_type: 't9.large' is no instance type that",
        ),
        ("controller:\n  instance_type: m7g.large\n", "has arm64 processors, and the image is for x86_64"),
        ("controller:\n  instance_type: t2.large\n", "cannot have volumes that are optimized for EBS"),
        ("  bastion:\n    instance_type: t9.nano\n", "9:20: network.bastion.instance_type: 't9.nano' is no"),
        (
            "agents:\n  linux:\n    instance_types: [t3.large, t9.large]\n",
            "10:32: agents.linux.instance_types.1: 't9.large' is no instance type that eu-central-1 has",
        ),
    ],
    ids=["unknown", "processor", "volume", "bastion", "agents"],
)
def test_another_type_is_refused_at_its_place(tmp_path: Path, text: str, expected: str) -> None:
    (fault,) = find(tmp_path, text)

    assert expected in fault


def test_a_type_must_be_had_where_the_machine_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance_types, "_read_zones", lambda *_: {"t3.large": {"eu-central-1b"}})
    text = "  zones: [eu-central-1a, eu-central-1b]\nagents:\n  linux: {}\n"

    (fault,) = find(tmp_path, text)

    assert "'t3.large' cannot be had in eu-central-1a; it can in eu-central-1b" in fault


def test_only_stacks_that_are_launched_are_asked_about_and_nothing_on_the_machine(tmp_path: Path) -> None:
    text = "controller:\n  instance_type: t9.large\n"

    assert [] == find(tmp_path, text, ("network",))
    assert [] == find(tmp_path, text, is_on_machine=True)
