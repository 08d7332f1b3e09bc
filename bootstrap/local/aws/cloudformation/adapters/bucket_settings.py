"""The settings of an S3 bucket: each is a call of its own, and has other names there than in a template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.errors import Unchanged

Setter = Callable[[To, Any], None]


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
    made: dict[str, Any] = {"Status": rule["Status"], "Filter": _chosen(rule)}
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    made |= {
        "ID": rule.get("Id"),
        "Expiration": _given(expiration),
        "NoncurrentVersionExpiration": noncurrent,
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [_transition(one) for one in _listed(rule, "Transition")],
        "NoncurrentVersionTransitions": [_noncurrent(one) for one in _listed(rule, "NoncurrentVersionTransition")],
    }
    return _given(made) | {"Filter": made["Filter"]}


def _chosen(rule: dict[str, Any]) -> dict[str, Any]:
    """The objects that a rule is for; more than one condition goes into And."""
    sizes: dict[str, Any] = {
        key: int(rule[key]) for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule
    }
    tags = rule.get("TagFilters") or []
    prefix = {"Prefix": rule["Prefix"]} if "Prefix" in rule else {}
    if len(sizes) + len(tags) + len(prefix) > 1:
        return {"And": {**prefix, **sizes, **({"Tags": tags} if tags else {})}}
    return {**prefix, **sizes, **({"Tag": tags[0]} if tags else {})} or {"Prefix": ""}


def _listed(rule: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A property that may be written alone or, with an s, as a list."""
    return [*(rule.get(f"{name}s") or ()), *([rule[name]] if name in rule else [])]


def _transition(one: dict[str, Any]) -> dict[str, Any]:
    made = {"StorageClass": one["StorageClass"], "Days": one.get("TransitionInDays"), "Date": one.get("TransitionDate")}
    return _given(made)


def _noncurrent(one: dict[str, Any]) -> dict[str, Any]:
    made = {"StorageClass": one["StorageClass"], "NoncurrentDays": one.get("TransitionInDays")}
    return _given({**made, "NewerNoncurrentVersions": one.get("NewerNoncurrentVersions")})


def _given(made: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if value not in (None, [], {})}


def _logging(to: To, value: Any) -> None:
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    to.call("s3", "put_bucket_logging", Bucket=to.physical_id, BucketLoggingStatus={"LoggingEnabled": target})


def _object_lock(to: To, value: Any) -> None:
    to.call("s3", "put_object_lock_configuration", Bucket=to.physical_id, ObjectLockConfiguration=value)


def _cors(to: To, value: Any) -> None:
    names = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    rules = [{names.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]
    to.call("s3", "put_bucket_cors", Bucket=to.physical_id, CORSConfiguration={"CORSRules": rules})


def _website(to: To, value: Any) -> None:
    made = {
        "IndexDocument": {"Suffix": value["IndexDocument"]} if "IndexDocument" in value else None,
        "ErrorDocument": {"Key": value["ErrorDocument"]} if "ErrorDocument" in value else None,
        "RedirectAllRequestsTo": value.get("RedirectAllRequestsTo"),
        "RoutingRules": [
            _given({"Condition": one.get("RoutingRuleCondition"), "Redirect": one.get("RedirectRule")})
            for one in value.get("RoutingRules") or []
        ],
    }
    to.call("s3", "put_bucket_website", Bucket=to.physical_id, WebsiteConfiguration=_given(made))


def _acceleration(to: To, value: Any) -> None:
    status = {"Status": value["AccelerationStatus"]}
    to.call("s3", "put_bucket_accelerate_configuration", Bucket=to.physical_id, AccelerateConfiguration=status)


def _notices(to: To, value: Any) -> None:
    """An entry of a template is one event of one target."""
    made: dict[str, Any] = {}
    for section, (kind, name, key) in NOTICES.items():
        made[kind] = [
            _given(
                {
                    key: one[name],
                    "Events": [one["Event"]],
                    "Filter": {"Key": {"FilterRules": one["Filter"]["S3Key"]["Rules"]}} if "Filter" in one else None,
                }
            )
            for one in value.get(section) or []
        ]
    bridge = str((value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", "")).lower() == "true"
    asked = _given(made) | ({"EventBridgeConfiguration": {}} if bridge else {})
    to.call("s3", "put_bucket_notification_configuration", Bucket=to.physical_id, NotificationConfiguration=asked)


def _replication(to: To, value: Any) -> None:
    rules = [{"ID" if key == "Id" else key: item for key, item in rule.items()} for rule in value["Rules"]]
    asked = {"Role": value["Role"], "Rules": rules}
    to.call("s3", "put_bucket_replication", Bucket=to.physical_id, ReplicationConfiguration=asked)


def _inventories(to: To, value: Any) -> None:
    gone = {one["Id"] for one in to.old.get("InventoryConfigurations") or []} - {one["Id"] for one in value}
    if gone:
        raise Unchanged(f"The local cloud cannot take {', '.join(sorted(gone))} out of InventoryConfigurations")
    for one in value:
        destination = {"Bucket" if key == "BucketArn" else key: item for key, item in one["Destination"].items()}
        asked = {
            "Id": one["Id"],
            "IsEnabled": one["Enabled"],
            "IncludedObjectVersions": one["IncludedObjectVersions"],
            "Schedule": {"Frequency": one["ScheduleFrequency"]},
            "Destination": {
                "S3BucketDestination": {
                    "AccountId" if key == "BucketAccountId" else key: v for key, v in destination.items()
                }
            },
            "OptionalFields": one.get("OptionalFields"),
            "Filter": {"Prefix": one["Prefix"]} if "Prefix" in one else None,
        }
        to.call(
            "s3",
            "put_bucket_inventory_configuration",
            Bucket=to.physical_id,
            Id=one["Id"],
            InventoryConfiguration=_given(asked),
        )


# Section of a template -> list of the call, the target's name in either.
NOTICES = {
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
}
SETTINGS: dict[str, Setter] = {
    "VersioningConfiguration": _versioning,
    "BucketEncryption": _encryption,
    "PublicAccessBlockConfiguration": _public_access,
    "OwnershipControls": _ownership,
    "LifecycleConfiguration": _lifecycle,
    "LoggingConfiguration": _logging,
    "ObjectLockConfiguration": _object_lock,
    "CorsConfiguration": _cors,
    "WebsiteConfiguration": _website,
    "AccelerateConfiguration": _acceleration,
    "NotificationConfiguration": _notices,
    "ReplicationConfiguration": _replication,
    "InventoryConfigurations": _inventories,
}
# The call that takes a setting back, with what it is given beside the bucket.
REMOVALS: dict[str, tuple[str, dict[str, Any]]] = {
    "BucketEncryption": ("delete_bucket_encryption", {}),
    "PublicAccessBlockConfiguration": ("delete_public_access_block", {}),
    "OwnershipControls": ("delete_bucket_ownership_controls", {}),
    "LifecycleConfiguration": ("delete_bucket_lifecycle", {}),
    "LoggingConfiguration": ("put_bucket_logging", {"BucketLoggingStatus": {}}),
    "CorsConfiguration": ("delete_bucket_cors", {}),
    "WebsiteConfiguration": ("delete_bucket_website", {}),
    "AccelerateConfiguration": (
        "put_bucket_accelerate_configuration",
        {"AccelerateConfiguration": {"Status": "Suspended"}},
    ),
    "NotificationConfiguration": ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
    "ReplicationConfiguration": ("delete_bucket_replication", {}),
}
