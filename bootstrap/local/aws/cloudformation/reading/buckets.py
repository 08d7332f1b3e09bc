"""S3: each setting of a bucket is a call of its own, and has other names there than in a template."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import rename, renamed

CORS = {"ID": "Id", "ExposeHeaders": "ExposedHeaders", "MaxAgeSeconds": "MaxAge"}


def _sse_rules(found: Any, _: Context) -> dict[str, Any] | None:
    rules = at(found, "ServerSideEncryptionConfiguration.Rules")
    if rules is None:
        return None
    names = {"ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"}
    made = [{names.get(key, key): value for key, value in rule.items()} for rule in rules]
    return {"ServerSideEncryptionConfiguration": made}


def _lifecycle(found: Any, _: Context) -> Any:
    if "Rules" not in found:
        return None
    made: dict[str, Any] = {"Rules": [_rule(rule) for rule in found["Rules"]]}
    size = found.get("TransitionDefaultMinimumObjectSize")
    return made | ({"TransitionDefaultMinimumObjectSize": size} if size else {})


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    chosen = rule.get("Filter", {})
    chosen = chosen.get("And") or chosen
    made = {
        "Id": rule.get("ID"),
        "Status": rule["Status"],
        "Prefix": chosen.get("Prefix"),
        "TagFilters": chosen.get("Tags") or ([chosen["Tag"]] if "Tag" in chosen else None),
        "ObjectSizeGreaterThan": chosen.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": chosen.get("ObjectSizeLessThan"),
        "ExpirationInDays": at(rule, "Expiration.Days"),
        "ExpirationDate": _date(at(rule, "Expiration.Date")),
        "ExpiredObjectDeleteMarker": at(rule, "Expiration.ExpiredObjectDeleteMarker"),
        "Transitions": [_transition(one) for one in rule.get("Transitions", [])] or None,
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "NoncurrentVersionTransitions": [
            {**one, "TransitionInDays": one.get("NoncurrentDays")}
            for one in rule.get("NoncurrentVersionTransitions", [])
        ]
        or None,
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
    }
    return {key: value for key, value in made.items() if value is not None}


def _transition(one: dict[str, Any]) -> dict[str, Any]:
    made = {
        "StorageClass": one["StorageClass"],
        "TransitionInDays": one.get("Days"),
        "TransitionDate": _date(one.get("Date")),
    }
    return {key: value for key, value in made.items() if value is not None}


def _date(value: Any) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else None


def _logging(found: Any, _: Context) -> Any:
    target = found.get("LoggingEnabled")
    return target and {"DestinationBucketName": target["TargetBucket"], "LogFilePrefix": target.get("TargetPrefix")}


def _notices(found: Any, _: Context) -> Any:
    """One entry of a template is one event; the service keeps a list of events with each target."""
    made: dict[str, Any] = {}
    for kind, (key, name) in NOTICES.items():
        entries = [
            {name: one[key], "Event": event, **({"Filter": _filter(one["Filter"])} if one.get("Filter") else {})}
            for one in found.get(kind, [])
            for event in one["Events"]
        ]
        if entries:
            made[kind.replace("LambdaFunction", "Lambda")] = entries
    if "EventBridgeConfiguration" in found:
        made["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
    return made or None


def _filter(chosen: dict[str, Any]) -> dict[str, Any]:
    return {"S3Key": {"Rules": chosen["Key"]["FilterRules"]}}


def _website(found: Any, _: Context) -> Any:
    made = {
        "IndexDocument": at(found, "IndexDocument.Suffix"),
        "ErrorDocument": at(found, "ErrorDocument.Key"),
        "RedirectAllRequestsTo": found.get("RedirectAllRequestsTo"),
        "RoutingRules": [
            {"RedirectRule": one.get("Redirect"), "RoutingRuleCondition": one.get("Condition")}
            for one in found.get("RoutingRules", [])
        ]
        or None,
    }
    return {key: value for key, value in made.items() if value is not None}


def _replication(found: Any, _: Context) -> Any:
    made = found.get("ReplicationConfiguration")
    return made and {"Role": made["Role"], "Rules": [rename(rule, {"ID": "Id"}) for rule in made["Rules"]]}


def _inventories(found: Any, _: Context) -> Any:
    return [_inventory(one) for one in found.get("InventoryConfigurationList") or []] or None


def _inventory(one: dict[str, Any]) -> dict[str, Any]:
    names = {"Bucket": "BucketArn", "AccountId": "BucketAccountId"}
    made = {
        "Id": one["Id"],
        "Enabled": one["IsEnabled"],
        "IncludedObjectVersions": one["IncludedObjectVersions"],
        "ScheduleFrequency": at(one, "Schedule.Frequency"),
        "Destination": rename(at(one, "Destination.S3BucketDestination"), names),
        "OptionalFields": one.get("OptionalFields"),
        "Prefix": at(one, "Filter.Prefix"),
    }
    return {key: value for key, value in made.items() if value is not None}


def _accelerated(found: Any, _: Context) -> Any:
    return {"AccelerationStatus": found["Status"]} if found.get("Status") else None


def _locked(found: Any, _: Context) -> bool:
    return bool(at(found, "ObjectLockConfiguration.ObjectLockEnabled") == "Enabled")


def _part(method: str, **ways: Way) -> Read:
    return Read("s3", method, {"Bucket": "@id"}, ways=dict(ways), plain=False)


NOTICES = {
    "TopicConfigurations": ("TopicArn", "Topic"),
    "QueueConfigurations": ("QueueArn", "Queue"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "Function"),
}
READS: dict[str, tuple[Read, ...]] = {
    "AWS::S3::Bucket": (
        _part("get_bucket_versioning", VersioningConfiguration=""),
        Read(
            "s3",
            "list_buckets",
            {},
            lambda found, to: next((one for one in found["Buckets"] if one["Name"] == to.physical_id), None),
            {"BucketName": "Name"},
            plain=False,
        ),
        _part("get_bucket_encryption", BucketEncryption=_sse_rules),
        _part("get_public_access_block", PublicAccessBlockConfiguration="PublicAccessBlockConfiguration"),
        _part("get_bucket_ownership_controls", OwnershipControls="OwnershipControls"),
        _part("get_bucket_lifecycle_configuration", LifecycleConfiguration=_lifecycle),
        _part("get_bucket_logging", LoggingConfiguration=_logging),
        _part("get_bucket_notification_configuration", NotificationConfiguration=_notices),
        _part("get_bucket_cors", CorsConfiguration=renamed("", CORS)),
        _part("get_bucket_website", WebsiteConfiguration=_website),
        _part("get_bucket_accelerate_configuration", AccelerateConfiguration=_accelerated),
        _part("get_bucket_replication", ReplicationConfiguration=_replication),
        _part("list_bucket_inventory_configurations", InventoryConfigurations=_inventories),
        _part(
            "get_object_lock_configuration",
            ObjectLockConfiguration="ObjectLockConfiguration",
            ObjectLockEnabled=_locked,
        ),
        _part("get_bucket_tagging", Tags="TagSet"),
    ),
    "AWS::S3::BucketPolicy": (
        Read(
            "s3",
            "get_bucket_policy",
            {"Bucket": "@id"},
            ways={"PolicyDocument": "Policy", "Bucket": lambda found, to: to.physical_id},
            plain=False,
        ),
    ),
}
