"""S3: each setting of a bucket needs its own call, and its members have other names than in a template."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_renamed, rename

CORS = {"ID": "Id", "ExposeHeaders": "ExposedHeaders", "MaxAgeSeconds": "MaxAge"}


def _read_sse_rules(part: Any, _: Context) -> dict[str, Any] | None:
    rules = find_at(part, "ServerSideEncryptionConfiguration.Rules")
    if rules is None:
        return None
    names = {"ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"}
    renamed_rules = [{names.get(key, key): value for key, value in rule.items()} for rule in rules]
    return {"ServerSideEncryptionConfiguration": renamed_rules}


def _read_lifecycle(part: Any, _: Context) -> Any:
    if "Rules" not in part:
        return None
    properties: dict[str, Any] = {"Rules": [_convert_rule(rule) for rule in part["Rules"]]}
    size = part.get("TransitionDefaultMinimumObjectSize")
    return properties | ({"TransitionDefaultMinimumObjectSize": size} if size else {})


def _convert_rule(rule: dict[str, Any]) -> dict[str, Any]:
    chosen = rule.get("Filter", {})
    chosen = chosen.get("And") or chosen
    properties = {
        "Id": rule.get("ID"),
        "Status": rule["Status"],
        "Prefix": chosen.get("Prefix"),
        "TagFilters": chosen.get("Tags") or ([chosen["Tag"]] if "Tag" in chosen else None),
        "ObjectSizeGreaterThan": chosen.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": chosen.get("ObjectSizeLessThan"),
        "ExpirationInDays": find_at(rule, "Expiration.Days"),
        "ExpirationDate": _format_date(find_at(rule, "Expiration.Date")),
        "ExpiredObjectDeleteMarker": find_at(rule, "Expiration.ExpiredObjectDeleteMarker"),
        "Transitions": [_convert_transition(item) for item in rule.get("Transitions", [])] or None,
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "NoncurrentVersionTransitions": [
            {**item, "TransitionInDays": item.get("NoncurrentDays")}
            for item in rule.get("NoncurrentVersionTransitions", [])
        ]
        or None,
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    return {key: value for key, value in properties.items() if value is not None}


def _convert_transition(item: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "StorageClass": item["StorageClass"],
        "TransitionInDays": item.get("Days"),
        "TransitionDate": _format_date(item.get("Date")),
    }
    return {key: value for key, value in properties.items() if value is not None}


def _format_date(value: Any) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


def _read_logging(part: Any, _: Context) -> Any:
    target = part.get("LoggingEnabled")
    return target and {"DestinationBucketName": target["TargetBucket"], "LogFilePrefix": target.get("TargetPrefix")}


def _read_notices(part: Any, _: Context) -> Any:
    """Notifications: in a template an entry has one event; in the service it has a list of events."""
    properties: dict[str, Any] = {}
    for kind, (key, name) in NOTICES.items():
        entries = [
            {name: item[key], "Event": event, **({"Filter": _filter(item["Filter"])} if item.get("Filter") else {})}
            for item in part.get(kind, [])
            for event in item["Events"]
        ]
        if entries:
            properties[kind.replace("LambdaFunction", "Lambda")] = entries
    if "EventBridgeConfiguration" in part:
        properties["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
    return properties or None


def _filter(chosen: dict[str, Any]) -> dict[str, Any]:
    return {"S3Key": {"Rules": chosen["Key"]["FilterRules"]}}


def _read_website(part: Any, _: Context) -> Any:
    properties = {
        "IndexDocument": find_at(part, "IndexDocument.Suffix"),
        "ErrorDocument": find_at(part, "ErrorDocument.Key"),
        "RedirectAllRequestsTo": part.get("RedirectAllRequestsTo"),
        "RoutingRules": [
            {"RedirectRule": item.get("Redirect"), "RoutingRuleCondition": item.get("Condition")}
            for item in part.get("RoutingRules", [])
        ]
        or None,
    }
    return {key: value for key, value in properties.items() if value is not None}


def _read_replication(part: Any, _: Context) -> Any:
    configuration = part.get("ReplicationConfiguration")
    return configuration and {
        "Role": configuration["Role"],
        "Rules": [rename(rule, {"ID": "Id"}) for rule in configuration["Rules"]],
    }


def _read_inventories(part: Any, _: Context) -> Any:
    return [_convert_inventory(item) for item in part.get("InventoryConfigurationList") or []] or None


def _convert_inventory(item: dict[str, Any]) -> dict[str, Any]:
    names = {"Bucket": "BucketArn", "AccountId": "BucketAccountId"}
    properties = {
        "Id": item["Id"],
        "Enabled": item["IsEnabled"],
        "IncludedObjectVersions": item["IncludedObjectVersions"],
        "ScheduleFrequency": find_at(item, "Schedule.Frequency"),
        "Destination": rename(find_at(item, "Destination.S3BucketDestination"), names),
        "OptionalFields": item.get("OptionalFields"),
        "Prefix": find_at(item, "Filter.Prefix"),
    }
    return {key: value for key, value in properties.items() if value is not None}


def _read_acceleration(part: Any, _: Context) -> Any:
    return {"AccelerationStatus": part["Status"]} if part.get("Status") else None


def _is_locked(part: Any, _: Context) -> bool:
    return bool(find_at(part, "ObjectLockConfiguration.ObjectLockEnabled") == "Enabled")


def _make_read(method: str, **ways: Way) -> Read:
    return Read("s3", method, {"Bucket": "@id"}, ways=dict(ways), plain=False)


NOTICES = {
    "TopicConfigurations": ("TopicArn", "Topic"),
    "QueueConfigurations": ("QueueArn", "Queue"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "Function"),
}
READS: dict[str, tuple[Read, ...]] = {
    "AWS::S3::Bucket": (
        _make_read("get_bucket_versioning", VersioningConfiguration=""),
        Read(
            "s3",
            "list_buckets",
            {},
            lambda part, to: next((item for item in part["Buckets"] if item["Name"] == to.physical_id), None),
            {"BucketName": "Name"},
            plain=False,
        ),
        _make_read("get_bucket_encryption", BucketEncryption=_read_sse_rules),
        _make_read("get_public_access_block", PublicAccessBlockConfiguration="PublicAccessBlockConfiguration"),
        _make_read("get_bucket_ownership_controls", OwnershipControls="OwnershipControls"),
        _make_read("get_bucket_lifecycle_configuration", LifecycleConfiguration=_read_lifecycle),
        _make_read("get_bucket_logging", LoggingConfiguration=_read_logging),
        _make_read("get_bucket_notification_configuration", NotificationConfiguration=_read_notices),
        _make_read("get_bucket_cors", CorsConfiguration=read_renamed("", CORS)),
        _make_read("get_bucket_website", WebsiteConfiguration=_read_website),
        _make_read("get_bucket_accelerate_configuration", AccelerateConfiguration=_read_acceleration),
        _make_read("get_bucket_replication", ReplicationConfiguration=_read_replication),
        _make_read("list_bucket_inventory_configurations", InventoryConfigurations=_read_inventories),
        _make_read(
            "get_object_lock_configuration",
            ObjectLockConfiguration="ObjectLockConfiguration",
            ObjectLockEnabled=_is_locked,
        ),
        _make_read("get_bucket_tagging", Tags="TagSet"),
    ),
    "AWS::S3::BucketPolicy": (
        Read(
            "s3",
            "get_bucket_policy",
            {"Bucket": "@id"},
            ways={"PolicyDocument": "Policy", "Bucket": lambda part, to: to.physical_id},
            plain=False,
        ),
    ),
}
