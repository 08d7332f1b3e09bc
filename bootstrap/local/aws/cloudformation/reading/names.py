"""Route 53."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _record(answer: Any, to: Context) -> Any:
    wanted = (str(to.get("Name")).rstrip("."), to.get("Type"), to.get("SetIdentifier"))
    for one in answer["ResourceRecordSets"]:
        if (one["Name"].rstrip("."), one["Type"], one.get("SetIdentifier")) == wanted:
            return {**one, "HostedZoneId": to.get("HostedZoneId")}
    return None


def _group(answer: Any, to: Context) -> Any:
    """The records of a group that are there; where none is, the group is not."""
    listed = {
        (one["Name"].rstrip("."), one["Type"], one.get("SetIdentifier")): one for one in answer["ResourceRecordSets"]
    }
    asked = [(str(it["Name"]).rstrip("."), it["Type"], it.get("SetIdentifier")) for it in to.get("RecordSets") or ()]
    found = [_as_asked(listed[key]) for key in asked if key in listed]
    return {"HostedZoneId": to.get("HostedZoneId"), "RecordSets": found} if found or not asked else None


def _as_asked(told: dict[str, Any]) -> dict[str, Any]:
    """A record as a template writes it: values as a plain list, the time to live as text."""
    values = [one["Value"] for one in told.get("ResourceRecords", [])]
    record = {**told, "Name": told["Name"].rstrip(".")} | ({"TTL": str(told["TTL"])} if "TTL" in told else {})
    return record | ({"ResourceRecords": values} if values else {})


def _values(found: Any, _: Context) -> Any:
    return [one["Value"] for one in found.get("ResourceRecords", [])] or None


def _log(answer: Any, to: Context) -> Any:
    listed = answer["QueryLoggingConfigs"]
    return next((one for one in listed if one["HostedZoneId"].rpartition("/")[2] == to.physical_id), None)


def _tags(kind: str, name: str) -> Read:
    return Read(
        "route53",
        "list_tags_for_resource",
        {"ResourceType": kind, "ResourceId": "@id"},
        ways={name: "ResourceTagSet.Tags"},
        plain=False,
    )


READS: dict[str, tuple[Read, ...]] = {
    "AWS::Route53::HostedZone": (
        Read(
            "route53",
            "get_hosted_zone",
            {"Id": "@id"},
            "",
            {"Name": "HostedZone.Name", "HostedZoneConfig": "HostedZone.Config"},
        ),
        _tags("hostedzone", "HostedZoneTags"),
        Read("route53", "list_query_logging_configs", {}, ways={"QueryLoggingConfig": _log}, plain=False),
    ),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": (
        Read(
            "route53resolver",
            "get_resolver_query_log_config",
            {"ResolverQueryLogConfigId": "@id"},
            "ResolverQueryLogConfig",
        ),
        Read("route53resolver", "list_tags_for_resource", {"ResourceArn": "@Arn"}),
    ),
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": (
        Read(
            "route53resolver",
            "get_resolver_query_log_config_association",
            {"ResolverQueryLogConfigAssociationId": "@id"},
            "ResolverQueryLogConfigAssociation",
        ),
    ),
    "AWS::Route53::RecordSet": (
        Read(
            "route53",
            "list_resource_record_sets",
            {"HostedZoneId": "#HostedZoneId"},
            _record,
            {"ResourceRecords": _values},
        ),
    ),
    "AWS::Route53::RecordSetGroup": (
        Read("route53", "list_resource_record_sets", {"HostedZoneId": "#HostedZoneId"}, _group),
    ),
    "AWS::Route53::HealthCheck": (
        Read("route53", "get_health_check", {"HealthCheckId": "@id"}, "HealthCheck"),
        _tags("healthcheck", "HealthCheckTags"),
    ),
}
