"""The claim on an account: which project changes what an account has only once.

The claim is an instance profile without a role, of one fixed name. It gives nobody any right. IAM is the same in all regions,
and makes a second one of the same name for nobody, so exactly one of several projects gets it, whatever their regions are. A
parameter of SSM would be one for each region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAME = "bootstrap-account-owner"


@dataclass(frozen=True)
class Claim:
    """Who holds an account: the project, the name of its account file, and the region of its stack."""

    project: str
    account: str
    region: str

    def __str__(self) -> str:
        return f"the project '{self.project}' (account file '{self.account}', region {self.region})"


def read_claim(iam: Any) -> Claim | None:
    """The claim of the account; None if nobody has one. A profile of this name without our tags belongs to somebody unknown."""
    try:
        tags = iam.get_instance_profile(InstanceProfileName=NAME)["InstanceProfile"].get("Tags", [])
    except iam.exceptions.NoSuchEntityException:
        return None
    values = {tag["Key"]: tag["Value"] for tag in tags}
    return Claim(values.get("Project", "?"), values.get("Account", "?"), values.get("Region", "?"))


def take_claim(iam: Any, claim: Claim) -> Claim:
    """Claim the account if nobody has; returns the claim that holds now, which may be another project's."""
    tags = {
        "Project": claim.project,
        "Account": claim.account,
        "Region": claim.region,
        "ManagedBy": "jenkins-bootstrap",
    }
    try:
        iam.create_instance_profile(
            InstanceProfileName=NAME, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
        )
    except iam.exceptions.EntityAlreadyExistsException:
        return read_claim(iam) or take_claim(iam, claim)
    return claim


def give_up_claim(iam: Any) -> None:
    """Delete the claim. The caller has checked that it is its own."""
    iam.delete_instance_profile(InstanceProfileName=NAME)
