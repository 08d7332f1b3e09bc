"""Route 53."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _record(answer: Any, to: Context) -> Any:
    wanted = (str(to.get("Name")).rstrip("."), to.get("Type"), to.get("SetIdentifier"))
    for one in answer["ResourceRecordSets"]:
        if (one["Name"].rstrip("."), one["Type"], one.get("SetIdentifier")) == wanted:
            return {**one, "HostedZoneId": to.get("HostedZoneId")}
    return None


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
    "AWS::Route53::HealthCheck": (
        Read("route53", "get_health_check", {"HealthCheckId": "@id"}, "HealthCheck"),
        _tags("healthcheck", "HealthCheckTags"),
    ),
}
