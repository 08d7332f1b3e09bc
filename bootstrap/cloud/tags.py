"""Finds the resources with an environment's tags in the cloud; no records of the toolkit are used.

The Resource Groups Tagging API lists the resources of a region, without those of IAM; a deleted resource can be listed for some
time. The tag Run of each resource names the run that last changed its stack, so that its journal and report can be found; the
tag Commit names the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.errors import UsageError


@dataclass(frozen=True)
class Tagged:
    """A resource with its tags."""

    arn: str
    tags: Mapping[str, str]

    @property
    def identity(self) -> str:
        """The id within its kind: the part of the ARN after the last '/', or after the last ':' if there is no '/'."""
        return self.arn.rpartition("/")[2].rpartition(":")[2]

    @property
    def kind(self) -> str:
        """Service and kind, from the ARN: 'ec2 subnet', 'secretsmanager secret'."""
        _, _, service, _, _, rest = self.arn.split(":", 5)
        return f"{service} {rest.replace(':', '/').partition('/')[0]}"


def list_resources(aws: Callable[[str], Any], settings: Settings, run: str | None = None) -> tuple[Tagged, ...]:
    """The environment's resources, or only those that `run` last changed; sorted by their ARNs."""
    return list_tagged(aws, {"Project": settings.project, "Environment": settings.name} | ({"Run": run} if run else {}))


def list_tagged(aws: Callable[[str], Any], required: Mapping[str, str]) -> tuple[Tagged, ...]:
    """All resources of the account and region that have these tags; sorted by their ARNs."""
    filters = [{"Key": key, "Values": [value]} for key, value in required.items()]
    pages = aws("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=filters)
    tagged = [
        Tagged(mapping["ResourceARN"], {tag["Key"]: tag["Value"] for tag in mapping["Tags"]})
        for page in pages
        for mapping in page["ResourceTagMappingList"]
    ]
    return tuple(sorted(tagged, key=lambda each: each.arn))


def run_of(aws: Callable[[str], Any], settings: Settings, resource: str) -> str:
    """The run that last changed a resource, named by ARN or id; UsageError if the environment has no such resource."""
    for tagged in list_resources(aws, settings):
        if resource in {tagged.arn, tagged.identity} and "Run" in tagged.tags:
            return tagged.tags["Run"]
    raise UsageError(
        f"looking for the run that changed {resource}",
        f"no resource of '{settings.name}' with this id has a Run tag, and it is not the name of a run",
        "'history' lists the runs; 'report --resources RUN' lists what a run changed.",
    )
