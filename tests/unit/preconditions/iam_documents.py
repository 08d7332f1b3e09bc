"""Policies of the launcher for an environment, by their statements."""

from collections.abc import Collection
from typing import Any

import boto3

from bootstrap.environment.models import Settings
from bootstrap.preconditions import iam_policies, required_actions
from bootstrap.preconditions.required_actions import Needs

SETTINGS = Settings(environment="trial", cloud="aws", owner="a", cost_center="b")
CLIENTS = {
    name: boto3.session.Session("a", "b", region_name="eu-central-1").client(name)
    for name in required_actions.list_services()
}


def document(
    own: Collection[str],
    through: Collection[str] = (),
    chosen: Settings = SETTINGS,
    services: Collection[str] = ("ec2.amazonaws.com",),
) -> dict[str, Any]:
    return iam_policies.make_launcher_policy(chosen, Needs(frozenset(own), frozenset(through), frozenset(services)))


def statement(found: dict[str, Any], sid: str) -> dict[str, Any]:
    return next(it for it in found["Statement"] if it["Sid"] == sid)
