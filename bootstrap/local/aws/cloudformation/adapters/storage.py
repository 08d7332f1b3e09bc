"""S3 buckets and their policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.base import Context as To
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.errors import ResourceFailed

Setter = Callable[[To, Any], None]


class Bucket(Adapter):
    """AWS::S3::Bucket; Ref is its name."""

    type = "AWS::S3::Bucket"

    def create(self, to: To) -> str:
        """The bucket, then each of its settings."""
        name = str(to.get("BucketName") or to.name(63, lower=True))
        place = {} if to.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": to.region}}
        to.call(
            "s3", "create_bucket", Bucket=name, **place, **({"ObjectLockEnabledForBucket": True} if _locks(to) else {})
        )
        to.initiated(name)
        for setting in SETTINGS:
            if setting in to.properties:
                SETTINGS[setting](to, to.get(setting))
        return name

    def update(self, to: To) -> None:
        """Settings that can be set again; what the local cloud cannot set is refused."""
        for name in sorted(to.changed - {"Tags"}):
            if name not in SETTINGS or name not in to.properties:
                raise ResourceFailed(f"The local cloud cannot change {name} of {self.type} in place")
            SETTINGS[name](to, to.get(name))

    def delete(self, to: To) -> None:
        """S3 refuses while it holds objects."""
        to.call("s3", "delete_bucket", Bucket=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN and host names."""
        to.call("s3", "head_bucket", Bucket=to.physical_id)
        name, region = to.physical_id, to.region
        return {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website.{region}.amazonaws.com",
        }

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """All at once. S3 keeps system tags apart, and moto refuses them here, so they are left out."""
        own = [tag for tag in to.tag_list() if not tag["Key"].startswith("aws:")]
        if own:
            to.call("s3", "put_bucket_tagging", Bucket=to.physical_id, Tagging={"TagSet": own})
        elif list(gone):
            to.call("s3", "delete_bucket_tagging", Bucket=to.physical_id)


def _versioning(to: To, value: Any) -> None:
    to.call("s3", "put_bucket_versioning", Bucket=to.physical_id, VersioningConfiguration={"Status": value["Status"]})


def _encryption(to: To, value: Any) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": one["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": one.get("BucketKeyEnabled", False),
        }
        for one in value["ServerSideEncryptionConfiguration"]
    ]
    to.call("s3", "put_bucket_encryption", Bucket=to.physical_id, ServerSideEncryptionConfiguration={"Rules": rules})


def _public_access(to: To, value: Any) -> None:
    to.call("s3", "put_public_access_block", Bucket=to.physical_id, PublicAccessBlockConfiguration=value)


def _ownership(to: To, value: Any) -> None:
    to.call("s3", "put_bucket_ownership_controls", Bucket=to.physical_id, OwnershipControls={"Rules": value["Rules"]})


def _lifecycle(to: To, value: Any) -> None:
    rules = [_lifecycle_rule(rule) for rule in value["Rules"]]
    to.call("s3", "put_bucket_lifecycle_configuration", Bucket=to.physical_id, LifecycleConfiguration={"Rules": rules})


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "NoncurrentVersionExpiration" in rule:
        made["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "NoncurrentVersionExpirationInDays" in rule:
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if "AbortIncompleteMultipartUpload" in rule:
        made["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if "Transitions" in rule:
        made["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    return made


def _logging(to: To, value: Any) -> None:
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    to.call("s3", "put_bucket_logging", Bucket=to.physical_id, BucketLoggingStatus={"LoggingEnabled": target})


def _object_lock(to: To, value: Any) -> None:
    to.call("s3", "put_object_lock_configuration", Bucket=to.physical_id, ObjectLockConfiguration=value)


def _locks(to: To) -> bool:
    return str(to.get("ObjectLockEnabled", "")).lower() == "true"


SETTINGS: dict[str, Setter] = {
    "VersioningConfiguration": _versioning,
    "BucketEncryption": _encryption,
    "PublicAccessBlockConfiguration": _public_access,
    "OwnershipControls": _ownership,
    "LifecycleConfiguration": _lifecycle,
    "LoggingConfiguration": _logging,
    "ObjectLockConfiguration": _object_lock,
}


class BucketPolicy(Adapter):
    """AWS::S3::BucketPolicy; Ref is the bucket's name."""

    type = "AWS::S3::BucketPolicy"

    def create(self, to: To) -> str:
        """A bucket has one policy."""
        self.update(to)
        return str(to.get("Bucket"))

    def update(self, to: To) -> None:
        """Put again."""
        to.call("s3", "put_bucket_policy", Bucket=to.get("Bucket"), Policy=policy_text(to.get("PolicyDocument")))

    def delete(self, to: To) -> None:
        """The bucket stays."""
        to.call("s3", "delete_bucket_policy", Bucket=to.get("Bucket"))


ADAPTERS = (Bucket(), BucketPolicy())
