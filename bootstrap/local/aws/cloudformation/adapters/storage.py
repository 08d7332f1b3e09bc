"""S3 buckets and their policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.bucket_settings import REMOVALS, SETTINGS
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.errors import Unchanged


class Bucket(Adapter):
    """AWS::S3::Bucket; Ref is its name."""

    type = "AWS::S3::Bucket"

    def create(self, to: To) -> str:
        """Create the bucket, then set each of its settings; return its name."""
        name = str(to.get("BucketName") or to.generate_name())
        place = {} if to.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": to.region}}
        to.call(
            "s3",
            "create_bucket",
            Bucket=name,
            **place,
            **({"ObjectLockEnabledForBucket": True} if _has_object_lock(to) else {}),
        )
        to.initiated(name)
        for setting in SETTINGS:
            if setting in to.properties:
                SETTINGS[setting](to, to.get(setting))
        return name

    def update(self, to: To) -> None:
        """Set or remove each changed setting.

        Raises Unchanged, before any call, if one of them cannot be changed here.
        """
        changed = to.changed - {"Tags"}
        refused = sorted(name for name in changed if name not in (SETTINGS if name in to.properties else REMOVALS))
        if refused:
            raise Unchanged(f"The local cloud cannot change {', '.join(refused)} of {self.type} in place")
        for name in [one for one in SETTINGS if one in changed]:
            if name in to.properties:
                SETTINGS[name](to, to.get(name))
            else:
                to.call("s3", REMOVALS[name][0], Bucket=to.physical_id, **REMOVALS[name][1])

    def delete(self, to: To) -> None:
        """Delete the bucket. S3 refuses that while it contains objects."""
        to.call("s3", "delete_bucket", Bucket=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and host names. Raises Gone when the bucket does not exist."""
        to.call("s3", "head_bucket", Bucket=to.physical_id)
        name, region = to.physical_id, to.region
        return {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website.{region}.amazonaws.com",
        }

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Replace all tags by one call. System tags (aws:) are left out, because moto refuses them for S3."""
        own = [tag for tag in to.list_tags() if not tag["Key"].startswith("aws:")]
        if own:
            to.call("s3", "put_bucket_tagging", Bucket=to.physical_id, Tagging={"TagSet": own})
        elif list(removed):
            to.call("s3", "delete_bucket_tagging", Bucket=to.physical_id)


def _has_object_lock(to: To) -> bool:
    return str(to.get("ObjectLockEnabled", "")).lower() == "true"


class BucketPolicy(Adapter):
    """AWS::S3::BucketPolicy; Ref is the bucket's name."""

    type = "AWS::S3::BucketPolicy"

    def create(self, to: To) -> str:
        """Set the bucket's one policy and return the bucket's name."""
        self.update(to)
        return str(to.get("Bucket"))

    def update(self, to: To) -> None:
        """Replace the policy."""
        to.call("s3", "put_bucket_policy", Bucket=to.get("Bucket"), Policy=format_policy(to.get("PolicyDocument")))

    def delete(self, to: To) -> None:
        """Delete the policy; the bucket is kept."""
        to.call("s3", "delete_bucket_policy", Bucket=to.get("Bucket"))


ADAPTERS = (Bucket(), BucketPolicy())
