"""The parts of an environment's policies: the names of what they allow, and single statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.environment.models import Settings

# The name of a role or a bucket that CloudFormation generates begins with at least so many characters of the name of its stack:
# names of IAM have at most 64 characters, those of S3 63.
_KEPT_OF_STACK = 24
Statement = dict[str, Any]


class Names:
    """The ARNs of an environment, and the conditions that bind to it."""

    def __init__(self, settings: Settings) -> None:
        region, prefix = settings.region, f"{settings.project}-{settings.name}-"
        self.own = f"arn:{settings.partition}"
        self.region = region
        self.stacks = f"{self.own}:cloudformation:{region}:*:stack/{prefix}*"
        # CloudFormation names a secret by its logical id, not by its stack: the tags tell whose it is.
        self.secrets = f"{self.own}:secretsmanager:{region}:*:secret:*"
        start = prefix[:_KEPT_OF_STACK]
        self.roles = f"{self.own}:iam::*:role/{start}*"
        self.policies = f"{self.own}:iam::*:policy/{start}*"
        self.buckets = f"{self.own}:s3:::{start}*"
        self.profiles = f"{self.own}:iam::*:instance-profile/{start}*"
        self.tags = {"Project": settings.project, "Environment": settings.name}
        self.tagged = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in self.tags.items()}}

    def name_secret(self, name: str) -> str:
        """The ARN of a secret by its name or ARN; Secrets Manager adds six characters to the name."""
        return name if name.startswith("arn:") else f"{self.own}:secretsmanager:{self.region}:*:secret:{name}-??????"

    def name_parameter(self, name: str) -> str:
        """The ARN of a parameter by its name or ARN."""
        return name if name.startswith("arn:") else f"{self.own}:ssm:{self.region}:*:parameter/{name.lstrip('/')}"


def make_statement(
    sid: str, actions: Iterable[str], resource: str, condition: Mapping[str, Any] | None = None
) -> Statement:
    """Allow these actions on a resource, under a condition."""
    made: Statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    return made | ({"Condition": dict(condition)} if condition else {})
