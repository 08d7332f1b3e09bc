"""The settings of an S3 bucket: each has its own call, which names the values otherwise than a template does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.errors import Unchanged

Setter = Callable[[To, Any], None]


def _set_versioning(to: To, value: Any) -> None:
    to.call("s3", "put_bucket_versioning", Bucket=to.physical_id, VersioningConfiguration={"Status": value["Status"]})


def _set_encryption(to: To, value: Any) -> None:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    to.call("s3", "put_bucket_encryption", Bucket=to.physical_id, ServerSideEncryptionConfiguration={"Rules": rules})


def _set_public_access(to: To, value: Any) -> None:
    to.call("s3", "put_public_access_block", Bucket=to.physical_id, PublicAccessBlockConfiguration=value)


def _set_ownership(to: To, value: Any) -> None:
    to.call("s3", "put_bucket_ownership_controls", Bucket=to.physical_id, OwnershipControls={"Rules": value["Rules"]})


def _set_lifecycle(to: To, value: Any) -> None:
    rules = [_convert_lifecycle_rule(rule) for rule in value["Rules"]]
    to.call("s3", "put_bucket_lifecycle_configuration", Bucket=to.physical_id, LifecycleConfiguration={"Rules": rules})


def _convert_lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"Status": rule["Status"], "Filter": _make_rule_filter(rule)}
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    noncurrent = rule.get("NoncurrentVersionExpiration")
    if "NoncurrentVersionExpirationInDays" in rule:
        noncurrent = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    entry |= {
        "ID": rule.get("Id"),
        "Expiration": _drop_empty(expiration),
        "NoncurrentVersionExpiration": noncurrent,
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [_convert_transition(one) for one in _list_entries(rule, "Transition")],
        "NoncurrentVersionTransitions": [
            _convert_noncurrent_transition(one) for one in _list_entries(rule, "NoncurrentVersionTransition")
        ],
    }
    return _drop_empty(entry) | {"Filter": entry["Filter"]}


def _make_rule_filter(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the Filter that selects a rule's objects; several conditions are combined in And."""
    sizes: dict[str, Any] = {
        key: int(rule[key]) for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if key in rule
    }
    tags = rule.get("TagFilters") or []
    prefix = {"Prefix": rule["Prefix"]} if "Prefix" in rule else {}
    if len(sizes) + len(tags) + len(prefix) > 1:
        return {"And": {**prefix, **sizes, **({"Tags": tags} if tags else {})}}
    return {**prefix, **sizes, **({"Tag": tags[0]} if tags else {})} or {"Prefix": ""}


def _list_entries(rule: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the entries of a property that a template may write once or, with an 's', as a list."""
    return [*(rule.get(f"{name}s") or ()), *([rule[name]] if name in rule else [])]


def _convert_transition(transition: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "StorageClass": transition["StorageClass"],
        "Days": transition.get("TransitionInDays"),
        "Date": transition.get("TransitionDate"),
    }
    return _drop_empty(entry)


def _convert_noncurrent_transition(transition: dict[str, Any]) -> dict[str, Any]:
    entry = {"StorageClass": transition["StorageClass"], "NoncurrentDays": transition.get("TransitionInDays")}
    return _drop_empty({**entry, "NewerNoncurrentVersions": transition.get("NewerNoncurrentVersions")})


def _drop_empty(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value not in (None, [], {})}


def _set_logging(to: To, value: Any) -> None:
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    to.call("s3", "put_bucket_logging", Bucket=to.physical_id, BucketLoggingStatus={"LoggingEnabled": target})


def _set_object_lock(to: To, value: Any) -> None:
    to.call("s3", "put_object_lock_configuration", Bucket=to.physical_id, ObjectLockConfiguration=value)


def _set_cors(to: To, value: Any) -> None:
    names = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    rules = [{names.get(key, key): item for key, item in rule.items()} for rule in value["CorsRules"]]
    to.call("s3", "put_bucket_cors", Bucket=to.physical_id, CORSConfiguration={"CORSRules": rules})


def _set_website(to: To, value: Any) -> None:
    website = {
        "IndexDocument": {"Suffix": value["IndexDocument"]} if "IndexDocument" in value else None,
        "ErrorDocument": {"Key": value["ErrorDocument"]} if "ErrorDocument" in value else None,
        "RedirectAllRequestsTo": value.get("RedirectAllRequestsTo"),
        "RoutingRules": [
            _drop_empty({"Condition": one.get("RoutingRuleCondition"), "Redirect": one.get("RedirectRule")})
            for one in value.get("RoutingRules") or []
        ],
    }
    to.call("s3", "put_bucket_website", Bucket=to.physical_id, WebsiteConfiguration=_drop_empty(website))


def _set_acceleration(to: To, value: Any) -> None:
    status = {"Status": value["AccelerationStatus"]}
    to.call("s3", "put_bucket_accelerate_configuration", Bucket=to.physical_id, AccelerateConfiguration=status)


def _set_notifications(to: To, value: Any) -> None:
    """Set all notifications; each entry of a template has one event and one target."""
    configurations: dict[str, Any] = {}
    for section, (kind, name, key) in NOTIFICATION_SECTIONS.items():
        configurations[kind] = [
            _drop_empty(
                {
                    key: event[name],
                    "Events": [event["Event"]],
                    "Filter": {"Key": {"FilterRules": event["Filter"]["S3Key"]["Rules"]}}
                    if "Filter" in event
                    else None,
                }
            )
            for event in value.get(section) or []
        ]
    bridge = str((value.get("EventBridgeConfiguration") or {}).get("EventBridgeEnabled", "")).lower() == "true"
    configuration = _drop_empty(configurations) | ({"EventBridgeConfiguration": {}} if bridge else {})
    to.call(
        "s3", "put_bucket_notification_configuration", Bucket=to.physical_id, NotificationConfiguration=configuration
    )


def _set_replication(to: To, value: Any) -> None:
    rules = [{"ID" if key == "Id" else key: item for key, item in rule.items()} for rule in value["Rules"]]
    configuration = {"Role": value["Role"], "Rules": rules}
    to.call("s3", "put_bucket_replication", Bucket=to.physical_id, ReplicationConfiguration=configuration)


def _set_inventories(to: To, value: Any) -> None:
    removed = {inventory["Id"] for inventory in to.old.get("InventoryConfigurations") or []} - {
        inventory["Id"] for inventory in value
    }
    if removed:
        raise Unchanged(f"The local cloud cannot take {', '.join(sorted(removed))} out of InventoryConfigurations")
    for inventory in value:
        destination = {"Bucket" if key == "BucketArn" else key: item for key, item in inventory["Destination"].items()}
        configuration = {
            "Id": inventory["Id"],
            "IsEnabled": inventory["Enabled"],
            "IncludedObjectVersions": inventory["IncludedObjectVersions"],
            "Schedule": {"Frequency": inventory["ScheduleFrequency"]},
            "Destination": {
                "S3BucketDestination": {
                    "AccountId" if key == "BucketAccountId" else key: v for key, v in destination.items()
                }
            },
            "OptionalFields": inventory.get("OptionalFields"),
            "Filter": {"Prefix": inventory["Prefix"]} if "Prefix" in inventory else None,
        }
        to.call(
            "s3",
            "put_bucket_inventory_configuration",
            Bucket=to.physical_id,
            Id=inventory["Id"],
            InventoryConfiguration=_drop_empty(configuration),
        )


# Section of a template -> the list in the call, the target's name in the template and in the call.
NOTIFICATION_SECTIONS = {
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
}
SETTINGS: dict[str, Setter] = {
    "VersioningConfiguration": _set_versioning,
    "BucketEncryption": _set_encryption,
    "PublicAccessBlockConfiguration": _set_public_access,
    "OwnershipControls": _set_ownership,
    "LifecycleConfiguration": _set_lifecycle,
    "LoggingConfiguration": _set_logging,
    "ObjectLockConfiguration": _set_object_lock,
    "CorsConfiguration": _set_cors,
    "WebsiteConfiguration": _set_website,
    "AccelerateConfiguration": _set_acceleration,
    "NotificationConfiguration": _set_notifications,
    "ReplicationConfiguration": _set_replication,
    "InventoryConfigurations": _set_inventories,
}
# Property -> the call that removes its setting, and the call's parameters besides the bucket.
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
