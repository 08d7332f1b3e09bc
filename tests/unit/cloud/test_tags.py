"""The environment's resources by their tags."""

from collections.abc import Iterator
from typing import Any

import pytest

from bootstrap.cloud import tags as tagged
from bootstrap.environment.models import Settings
from bootstrap.errors import UsageError

SETTINGS = Settings(environment="trial", cloud="local", owner="a", cost_center="b")
VPC = "arn:aws:ec2:eu-central-1:1:vpc/vpc-1"
SECRET = "arn:aws:secretsmanager:eu-central-1:1:secret:jenkins-trial-data-x"


class Tagging:
    """Two pages, as the service gives them; remembers what it was asked for."""

    asked: list[dict[str, Any]]

    def __call__(self, service: str) -> "Tagging":
        assert "resourcegroupstaggingapi" == service
        return self

    def get_paginator(self, name: str) -> "Tagging":
        assert "get_resources" == name
        return self

    def paginate(self, *, TagFilters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # noqa: N803
        self.asked = TagFilters
        for arn in (VPC, SECRET):
            tags = [{"Key": "Run", "Value": "run-1"}, {"Key": "Commit", "Value": "c"}]
            yield {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags}]}


def test_every_page_of_the_environments_resources_is_read() -> None:
    cloud = Tagging()

    found = tagged.list_resources(cloud, SETTINGS)

    assert [(VPC, "vpc-1", "ec2 vpc"), (SECRET, "jenkins-trial-data-x", "secretsmanager secret")] == [
        (it.arn, it.identity, it.kind) for it in found
    ]
    assert [("Project", ["jenkins"]), ("Environment", ["trial"])] == [(it["Key"], it["Values"]) for it in cloud.asked]


def test_a_runs_resources_are_asked_for_by_its_tag() -> None:
    cloud = Tagging()

    tagged.list_resources(cloud, SETTINGS, "run-1")

    assert {"Key": "Run", "Values": ["run-1"]} == cloud.asked[-1]


@pytest.mark.parametrize("name", [VPC, "vpc-1", SECRET])
def test_a_resource_leads_to_the_run_that_changed_it(name: str) -> None:
    assert "run-1" == tagged.run_of(Tagging(), SETTINGS, name)


def test_a_resource_of_nobody_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        tagged.run_of(Tagging(), SETTINGS, "vpc-2")
