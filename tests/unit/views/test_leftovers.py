"""What is left of an environment, by tag."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.context import Context
from bootstrap.environment.models import Settings
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Stack
from bootstrap.views import leftovers

ARN = "arn:aws:ec2:eu-central-1:1:"


class Refused(Exception):
    """The tagging service refuses."""


class Aws:
    """Lists what it is given; instances are terminated."""

    def __init__(self, tags: Mapping[str, str | None], *, refuses: bool = False) -> None:
        self.tags, self.refuses = tags, refuses
        self.exceptions = type("Exceptions", (), {"ClientError": Refused})

    def aws(self, _: str) -> "Aws":
        return self

    def get_paginator(self, _: str) -> "Aws":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if self.refuses:
            raise Refused("not yours")
        listed = [
            {"ResourceARN": f"{ARN}{name}", "Tags": [{"Key": leftovers._STACK, "Value": stack}] if stack else []}
            for name, stack in self.tags.items()
        ]
        return [{"ResourceTagMappingList": listed}]

    def describe_instances(self, **_: Any) -> dict[str, Any]:
        return {"Reservations": [{"Instances": [{"InstanceId": "i-1", "State": {"Name": "terminated"}}]}]}


class Opened(Context):
    """A context over that, in which only the data stack is left."""

    def __init__(self, aws: Aws) -> None:
        self.world = aws  # type: ignore[assignment]
        self.settings = Settings(environment="trial", cloud="local", owner="a", cost_center="b")

    @property
    def stacks(self) -> Mapping[str, Stack]:  # type: ignore[override]
        return {"data": Stack("jenkins-trial-data", "CREATE_COMPLETE", {"KeyPairId": "key-1"})}


LEFT = {
    "volume/vol-1": "jenkins-trial-data",
    "vpc/vpc-1": "jenkins-trial-network",
    "subnet/subnet-1": None,
    "parameter/ec2/keypair/key-1": None,
    "instance/i-1": "jenkins-trial-controller",
}


def test_what_a_living_stack_holds_is_kept_and_all_else_is_astray() -> None:
    found = leftovers.find_leftovers(Opened(Aws(LEFT)))

    assert ["key-1", "vol-1"] == [it.identity for it in found.kept]
    assert ["subnet-1", "vpc-1"] == [it.identity for it in found.stray]


@pytest.mark.parametrize(
    ("aws", "told"),
    [
        (Aws(LEFT), "delete them by ARN"),
        (Aws({}), "no resource carries the environment's tags any more"),
        (Aws({}, refuses=True), "the leftovers cannot be listed: not yours"),
    ],
)
def test_it_is_said_what_is_left_and_where_that_cannot_be_known(tmp_path: Path, aws: Aws, told: str) -> None:
    out = io.StringIO()

    leftovers.report_leftovers(Opened(aws), Run("r", Journal(tmp_path), out=out))

    assert told in out.getvalue()
