"""What carries an environment's tags, asked of the cloud and not of our own records.

The Resource Groups Tagging API answers for a region; IAM's resources are not among what it knows there, and a resource that was
deleted may be listed for a while. Every resource's Run tag names the run that last changed its stack, by which its journal and
its report are found; its Commit tag names the code.
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
        """The id within its kind: what follows the ARN's last '/' or, in an ARN without one, its last ':'."""
        return self.arn.rpartition("/")[2].rpartition(":")[2]

    @property
    def kind(self) -> str:
        """Service and kind, as far as the ARN says: ec2 subnet, secretsmanager secret."""
        _, _, service, _, _, rest = self.arn.split(":", 5)
        return f"{service} {rest.replace(':', '/').partition('/')[0]}"


def resources(aws: Callable[[str], Any], settings: Settings, run: str | None = None) -> tuple[Tagged, ...]:
    """The environment's resources, or those that a run last changed; in the order of their ARNs."""
    wanted = {"Project": settings.project, "Environment": settings.name} | ({"Run": run} if run else {})
    filters = [{"Key": key, "Values": [value]} for key, value in wanted.items()]
    pages = aws("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=filters)
    found = [
        Tagged(it["ResourceARN"], {tag["Key"]: tag["Value"] for tag in it["Tags"]})
        for page in pages
        for it in page["ResourceTagMappingList"]
    ]
    return tuple(sorted(found, key=lambda each: each.arn))


def run_of(aws: Callable[[str], Any], settings: Settings, resource: str) -> str:
    """The run that last changed a resource, named by ARN or id; UsageError where the environment has none of that name."""
    for each in resources(aws, settings):
        if resource in {each.arn, each.identity} and "Run" in each.tags:
            return each.tags["Run"]
    raise UsageError(
        f"looking for the run that changed {resource}",
        f"no resource of '{settings.name}' with this id has a Run tag, and it is not the name of a run",
        "'history' lists the runs; 'report --resources RUN' lists what a run changed.",
    )
