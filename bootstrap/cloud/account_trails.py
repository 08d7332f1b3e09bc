"""The trails of CloudTrail in an account: which one is ours, which one of somebody else covers all regions, and its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FoundTrail:
    """A trail as CloudTrail describes it. `faults` says what it lacks to be a record of the account that can be trusted."""

    arn: str
    bucket: str
    is_of_organization: bool
    covers_all: bool
    faults: tuple[str, ...]


def find_trails(cloudtrail: Any) -> tuple[FoundTrail, ...]:
    """All trails that the region knows: its own, those of all regions, and those of the organization."""
    return tuple(_examine(cloudtrail, trail) for trail in cloudtrail.describe_trails()["trailList"])


def _examine(cloudtrail: Any, trail: dict[str, Any]) -> FoundTrail:
    is_logging = bool(cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"])
    is_everywhere = bool(trail.get("IsMultiRegionTrail"))
    faults = {
        "it does not record": not is_logging,
        "it records one region only": not is_everywhere,
        "its records have no signed digests": not trail.get("LogFileValidationEnabled"),
        "it leaves out the global services": not trail.get("IncludeGlobalServiceEvents"),
        "its records are not encrypted with a customer key": not trail.get("KmsKeyId"),
    }
    return FoundTrail(
        trail["TrailARN"],
        trail["S3BucketName"],
        bool(trail.get("IsOrganizationTrail")),
        is_logging and is_everywhere,
        tuple(text for text, is_true in faults.items() if is_true),
    )
