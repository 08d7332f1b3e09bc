"""Route 53."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _record(answer: Any, to: Context) -> Any:
    key = (str(to.get("Name")).rstrip("."), to.get("Type"), to.get("SetIdentifier"))
    for record in answer["ResourceRecordSets"]:
        if (record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier")) == key:
            return {**record, "HostedZoneId": to.get("HostedZoneId")}
    return None


def _group(answer: Any, to: Context) -> Any:
    """The existing records of a group; None if there are none, then the group does not exist."""
    listed = {
        (record["Name"].rstrip("."), record["Type"], record.get("SetIdentifier")): record
        for record in answer["ResourceRecordSets"]
    }
    keys = [(str(it["Name"]).rstrip("."), it["Type"], it.get("SetIdentifier")) for it in to.get("RecordSets") or ()]
    records = [_as_in_template(listed[key]) for key in keys if key in listed]
    return {"HostedZoneId": to.get("HostedZoneId"), "RecordSets": records} if records or not keys else None


def _as_in_template(record: dict[str, Any]) -> dict[str, Any]:
    """A record in the form of a template: values as a list of texts, and the TTL as text."""
    values = [value["Value"] for value in record.get("ResourceRecords", [])]
    result = {**record, "Name": record["Name"].rstrip(".")} | ({"TTL": str(record["TTL"])} if "TTL" in record else {})
    return result | ({"ResourceRecords": values} if values else {})


def _values(part: Any, _: Context) -> Any:
    return [record["Value"] for record in part.get("ResourceRecords", [])] or None


def _log(answer: Any, to: Context) -> Any:
    listed = answer["QueryLoggingConfigs"]
    return next((config for config in listed if config["HostedZoneId"].rpartition("/")[2] == to.physical_id), None)


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
