"""Route 53."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.spelling import read_spelled, spell_domain

Identity = tuple[str, Any, Any]


def _identify(record: dict[str, Any]) -> Identity:
    return spell_domain(record.get("Name")), record.get("Type"), record.get("SetIdentifier")


def _read_record(answer: Any, to: Context) -> Any:
    """The record of the template in the records of a zone, with the name and the zone as in the template."""
    for record in answer["ResourceRecordSets"]:
        if _identify(record) == _identify(to.properties):
            return {**record, "Name": to.get("Name"), **to.pick("HostedZoneId", "HostedZoneName")}
    return None


def _read_group(answer: Any, to: Context) -> Any:
    """The existing records of a group; None if there are none, then the group does not exist."""
    listed = {_identify(record): record for record in answer["ResourceRecordSets"]}
    given = {_identify(record): record for record in to.get("RecordSets") or ()}
    records = [_convert_record(listed[key], given[key]) for key in given if key in listed]
    return {**to.pick("HostedZoneId", "HostedZoneName"), "RecordSets": records} if records or not given else None


def _read_named_zone(read: Callable[[Any, Context], Any]) -> Callable[[Any, Context], Any]:
    """Apply `read` to the records of the zone with the name HostedZoneName; None if there is no such zone."""

    def read_by_name(answer: Any, to: Context) -> Any:
        name = spell_domain(to.get("HostedZoneName"))
        zone = next((zone for zone in answer["HostedZones"] if spell_domain(zone["Name"]) == name), None)
        return zone and read(to.call("route53", "list_resource_record_sets", HostedZoneId=zone["Id"]), to)

    return read_by_name


def _make_zone_reads(read: Callable[[Any, Context], Any], **ways: Any) -> tuple[Read, ...]:
    """The two ways to read records: of a zone that the template names by its id, or by its name."""
    by_id = {"HostedZoneId": "#HostedZoneId"}
    return (
        Read("route53", "list_resource_record_sets", by_id, read, ways, when="HostedZoneId"),
        Read("route53", "list_hosted_zones", {}, _read_named_zone(read), ways, when="HostedZoneName"),
    )


def _convert_record(record: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A record in the form of a template: its name as given, values as a list of texts, and the TTL as text."""
    values = [value["Value"] for value in record.get("ResourceRecords", [])]
    result = {**record, "Name": given["Name"]} | ({"TTL": str(record["TTL"])} if "TTL" in record else {})
    return result | ({"ResourceRecords": values} if values else {})


def _read_values(part: Any, _: Context) -> Any:
    return [record["Value"] for record in part.get("ResourceRecords", [])] or None


def _read_log(answer: Any, to: Context) -> Any:
    listed = answer["QueryLoggingConfigs"]
    return next((config for config in listed if config["HostedZoneId"].rpartition("/")[2] == to.physical_id), None)


def _make_tags_read(kind: str, name: str) -> Read:
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
            {"Name": read_spelled("HostedZone.Name", "Name", spell_domain), "HostedZoneConfig": "HostedZone.Config"},
        ),
        _make_tags_read("hostedzone", "HostedZoneTags"),
        Read("route53", "list_query_logging_configs", {}, ways={"QueryLoggingConfig": _read_log}, plain=False),
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
    "AWS::Route53::RecordSet": _make_zone_reads(_read_record, ResourceRecords=_read_values),
    "AWS::Route53::RecordSetGroup": _make_zone_reads(_read_group),
    "AWS::Route53::HealthCheck": (
        Read("route53", "get_health_check", {"HealthCheckId": "@id"}, "HealthCheck"),
        _make_tags_read("healthcheck", "HealthCheckTags"),
    ),
}
