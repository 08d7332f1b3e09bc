"""Route 53: hosted zones, record sets, health checks and query logging."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import make_token
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed


class HostedZone(Adapter):
    """AWS::Route53::HostedZone; Ref is its id."""

    type = "AWS::Route53::HostedZone"

    def create(self, to: To) -> str:
        """Create the zone, with its VPCs if it is private, and its query logging; return its id."""
        vpcs = [{"VPCRegion": one["VPCRegion"], "VPCId": one["VPCId"]} for one in to.get("VPCs") or []]
        comment = (to.get("HostedZoneConfig") or {}).get("Comment", "")
        settings = {"Comment": comment, "PrivateZone": bool(vpcs)}
        first = {"VPC": vpcs[0]} if vpcs else {}
        answer = to.call(
            "route53",
            "create_hosted_zone",
            Name=to.get("Name"),
            CallerReference=make_token(to),
            HostedZoneConfig=settings,
            **first,
        )
        zone = str(answer["HostedZone"]["Id"]).rpartition("/")[2]
        to.initiated(zone)
        for vpc in vpcs[1:]:
            to.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=zone, VPC=vpc)
        self._set_logging(to, zone)
        return zone

    def update(self, to: To) -> None:
        """Change the comment, the VPCs and the query logging."""
        comment = (to.get("HostedZoneConfig") or {}).get("Comment", "")
        to.call("route53", "update_hosted_zone_comment", Id=to.physical_id, Comment=comment)
        before, after = to.old.get("VPCs") or [], to.get("VPCs") or []
        for vpc in [one for one in after if one not in before]:
            to.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=to.physical_id, VPC=vpc)
        for vpc in [one for one in before if one not in after]:
            to.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=to.physical_id, VPC=vpc)
        if "QueryLoggingConfig" in to.changed:
            self._remove_logging(to)
            self._set_logging(to, to.physical_id)

    def _set_logging(self, to: To, zone: str) -> None:
        """Create the zone's one configuration of query logging, which cannot be changed; its log group is in us-east-1."""
        if configuration := to.get("QueryLoggingConfig"):
            to.call("route53", "create_query_logging_config", HostedZoneId=zone, **configuration)

    def _remove_logging(self, to: To) -> None:
        for configuration in to.call("route53", "list_query_logging_configs")["QueryLoggingConfigs"]:
            if configuration["HostedZoneId"].rpartition("/")[2] == to.physical_id:
                to.call("route53", "delete_query_logging_config", Id=configuration["Id"])

    def delete(self, to: To) -> None:
        """Delete the zone. Route 53 refuses that while it holds other records than its own NS and SOA."""
        self._remove_logging(to)
        to.call("route53", "delete_hosted_zone", Id=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id and name servers."""
        answer = to.call("route53", "get_hosted_zone", Id=to.physical_id)
        return {"Id": to.physical_id, "NameServers": find_at(answer, "DelegationSet.NameServers") or []}

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Set `to.tags` and remove the tags `removed` in one call."""
        to.call(
            "route53",
            "change_tags_for_resource",
            ResourceType="hostedzone",
            ResourceId=to.physical_id,
            AddTags=to.list_tags() or None,
            RemoveTagKeys=list(removed) or None,
        )


_RECORD = (
    *("Name", "Type", "TTL", "Weight", "SetIdentifier", "Region", "Failover", "HealthCheckId", "MultiValueAnswer"),
    "GeoLocation",
)


def _make_record(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a template's record in the form of Route 53's API."""
    record: dict[str, Any] = {name: properties[name] for name in _RECORD if name in properties}
    if "ResourceRecords" in properties:
        record["ResourceRecords"] = [{"Value": value} for value in properties["ResourceRecords"]]
    if "AliasTarget" in properties:
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **properties["AliasTarget"]}
    return record


def _find_zone(to: To, properties: dict[str, Any]) -> str:
    """Return the id of the zone that a record names, by id or by name.

    Raises ResourceFailed when several zones have the name or none has it; for a record that was created already, Gone
    when none has it.
    """
    if "HostedZoneId" in properties:
        return str(properties["HostedZoneId"])
    name = str(properties.get("HostedZoneName", ""))
    zones = [
        str(zone["Id"]).rpartition("/")[2]
        for zone in to.call("route53", "list_hosted_zones")["HostedZones"]
        if zone["Name"].rstrip(".").lower() == name.rstrip(".").lower()
    ]
    if len(zones) == 1:
        return zones[0]
    problem = f"Multiple hosted zones found with name: {name}" if zones else f"No hosted zone named {name} found"
    raise Gone(problem) if to.physical_id and not zones else ResourceFailed(problem)


def _change(to: To, zone: str, changes: list[tuple[str, dict[str, Any]]]) -> None:
    """Make all changes in one batch: Route 53 applies all of them or none."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": _make_record(record)} for action, record in changes]}
    to.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)


def _delete(to: To, zone: str, records: list[dict[str, Any]]) -> None:
    """Delete records with the values that the stack set.

    Raises Gone when a record was deleted already, ResourceFailed when somebody changed it.
    """
    try:
        _change(to, zone, [("DELETE", record) for record in records])
    except ResourceFailed as refusal:
        if "but it was not found" in str(refusal) and "do not match" not in str(refusal):
            raise Gone(str(refusal)) from None
        raise


class RecordSet(Adapter):
    """AWS::Route53::RecordSet; Ref is its name."""

    type = "AWS::Route53::RecordSet"

    def create(self, to: To) -> str:
        """Create the record; refused when it exists. Return its name."""
        _change(to, _find_zone(to, to.properties), [("CREATE", to.properties)])
        return str(to.get("Name")).rstrip(".")

    def update(self, to: To) -> None:
        """Replace the record."""
        _change(to, _find_zone(to, to.properties), [("UPSERT", to.properties)])

    def delete(self, to: To) -> None:
        """Delete the record."""
        _delete(to, _find_zone(to, to.properties), [to.properties])


class RecordSetGroup(Adapter):
    """AWS::Route53::RecordSetGroup; Ref is a generated name. Its records are created, changed and deleted together."""

    type = "AWS::Route53::RecordSetGroup"

    def create(self, to: To) -> str:
        """Create all records; refused when one of them exists."""
        _change(to, _find_zone(to, to.properties), [("CREATE", record) for record in to.get("RecordSets") or ()])
        return to.generate_name()

    def update(self, to: To) -> None:
        """Delete the records that the template no longer names, and create or replace the changed ones."""
        before, after = to.old.get("RecordSets") or [], to.get("RecordSets") or []
        remaining = {_identify(record) for record in after}
        deletions = [("DELETE", record) for record in before if _identify(record) not in remaining]
        upserts = [("UPSERT", record) for record in after if record not in before]
        if deletions or upserts:
            _change(to, _find_zone(to, to.properties), [*deletions, *upserts])

    def delete(self, to: To) -> None:
        """Delete all records."""
        if records := to.get("RecordSets"):
            _delete(to, _find_zone(to, to.properties), list(records))


def _identify(record: dict[str, Any]) -> tuple[str, str, str]:
    return (str(record["Name"]).rstrip("."), str(record["Type"]), str(record.get("SetIdentifier", "")))


class HealthCheck(Adapter):
    """AWS::Route53::HealthCheck; Ref is its id. The local cloud checks nothing."""

    type = "AWS::Route53::HealthCheck"
    FIXED = frozenset({"Type", "RequestInterval", "MeasureLatency", "RoutingControlArn"})

    def create(self, to: To) -> str:
        """Create the health check and return its id."""
        settings = to.get("HealthCheckConfig")
        answer = to.call("route53", "create_health_check", CallerReference=make_token(to), HealthCheckConfig=settings)
        return str(answer["HealthCheck"]["Id"])

    def update(self, to: To) -> None:
        """Change the settings that Route 53 can change; the call takes them as parameters of its own."""
        settings = {key: value for key, value in to.get("HealthCheckConfig").items() if key not in self.FIXED}
        to.call("route53", "update_health_check", HealthCheckId=to.physical_id, **settings)

    def delete(self, to: To) -> None:
        """Delete the health check."""
        to.call("route53", "delete_health_check", HealthCheckId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id. Raises Gone when the health check does not exist."""
        to.call("route53", "get_health_check", HealthCheckId=to.physical_id)
        return {"HealthCheckId": to.physical_id}

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Set `to.tags` and remove the tags `removed` in one call."""
        to.call(
            "route53",
            "change_tags_for_resource",
            ResourceType="healthcheck",
            ResourceId=to.physical_id,
            AddTags=to.list_tags() or None,
            RemoveTagKeys=list(removed) or None,
        )


class QueryLogAssociation(TableAdapter):
    """AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation; Ref is its id."""

    def delete(self, to: To) -> None:
        """Remove the association between the configuration and its VPC; the call takes both ids."""
        to.call(
            "route53resolver",
            "disassociate_resolver_query_log_config",
            **to.pick("ResolverQueryLogConfigId", "ResourceId"),
        )


def _map_same_names(*names: str) -> dict[str, str | Callable[[Any], Any]]:
    """Return a map of attributes that have the same name in the service's answer, with the id."""
    return {"Id": "@id", **{name: name for name in names}}


ADAPTERS = (
    HostedZone(),
    RecordSet(),
    RecordSetGroup(),
    HealthCheck(),
    TableAdapter(
        Entry(
            "AWS::Route53Resolver::ResolverQueryLoggingConfig",
            "route53resolver",
            "create_resolver_query_log_config",
            "delete_resolver_query_log_config",
            "ResolverQueryLogConfigId",
            id_path="ResolverQueryLogConfig.Id",
            name="Name",
            unique="CreatorRequestId",
            read="get_resolver_query_log_config",
            item="ResolverQueryLogConfig",
            attributes=_map_same_names(
                "Arn", "AssociationCount", "CreationTime", "CreatorRequestId", "OwnerId", "ShareStatus", "Status"
            ),
            tags=Tagging(target="Arn", takes_system_tags=False),
        )
    ),
    QueryLogAssociation(
        Entry(
            "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
            "route53resolver",
            "associate_resolver_query_log_config",
            "disassociate_resolver_query_log_config",
            "ResolverQueryLogConfigAssociationId",
            id_path="ResolverQueryLogConfigAssociation.Id",
            read="get_resolver_query_log_config_association",
            item="ResolverQueryLogConfigAssociation",
            attributes=_map_same_names("CreationTime", "Error", "ErrorMessage", "Status"),
        )
    ),
)
