"""Route 53: hosted zones, record sets, health checks, and what is logged of the names that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.adapters.given import token_of
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed


class HostedZone(Adapter):
    """AWS::Route53::HostedZone; Ref is its id."""

    type = "AWS::Route53::HostedZone"

    def create(self, to: To) -> str:
        """Private when VPCs are named."""
        vpcs = [{"VPCRegion": one["VPCRegion"], "VPCId": one["VPCId"]} for one in to.get("VPCs") or []]
        comment = (to.get("HostedZoneConfig") or {}).get("Comment", "")
        settings = {"Comment": comment, "PrivateZone": bool(vpcs)}
        first = {"VPC": vpcs[0]} if vpcs else {}
        made = to.call(
            "route53",
            "create_hosted_zone",
            Name=to.get("Name"),
            CallerReference=token_of(to),
            HostedZoneConfig=settings,
            **first,
        )
        zone = str(made["HostedZone"]["Id"]).rpartition("/")[2]
        to.initiated(zone)
        for vpc in vpcs[1:]:
            to.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=zone, VPC=vpc)
        self._log(to, zone)
        return zone

    def update(self, to: To) -> None:
        """The comment, the VPCs, and where queries are logged."""
        comment = (to.get("HostedZoneConfig") or {}).get("Comment", "")
        to.call("route53", "update_hosted_zone_comment", Id=to.physical_id, Comment=comment)
        before, after = to.old.get("VPCs") or [], to.get("VPCs") or []
        for vpc in [one for one in after if one not in before]:
            to.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=to.physical_id, VPC=vpc)
        for vpc in [one for one in before if one not in after]:
            to.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=to.physical_id, VPC=vpc)
        if "QueryLoggingConfig" in to.changed:
            self._log_no_more(to)
            self._log(to, to.physical_id)

    def _log(self, to: To, zone: str) -> None:
        """A zone has one configuration, which cannot be altered; its log group is in us-east-1."""
        if wanted := to.get("QueryLoggingConfig"):
            to.call("route53", "create_query_logging_config", HostedZoneId=zone, **wanted)

    def _log_no_more(self, to: To) -> None:
        for one in to.call("route53", "list_query_logging_configs")["QueryLoggingConfigs"]:
            if one["HostedZoneId"].rpartition("/")[2] == to.physical_id:
                to.call("route53", "delete_query_logging_config", Id=one["Id"])

    def delete(self, to: To) -> None:
        """Route 53 refuses while it holds records of others."""
        self._log_no_more(to)
        to.call("route53", "delete_hosted_zone", Id=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Id and name servers."""
        found = to.call("route53", "get_hosted_zone", Id=to.physical_id)
        return {"Id": to.physical_id, "NameServers": at(found, "DelegationSet.NameServers") or []}

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """One call for both."""
        to.call(
            "route53",
            "change_tags_for_resource",
            ResourceType="hostedzone",
            ResourceId=to.physical_id,
            AddTags=to.tag_list() or None,
            RemoveTagKeys=list(gone) or None,
        )


_RECORD = (
    *("Name", "Type", "TTL", "Weight", "SetIdentifier", "Region", "Failover", "HealthCheckId", "MultiValueAnswer"),
    "GeoLocation",
)


def _record(wanted: dict[str, Any]) -> dict[str, Any]:
    """A record of a template as Route 53's API has it."""
    record: dict[str, Any] = {name: wanted[name] for name in _RECORD if name in wanted}
    if "ResourceRecords" in wanted:
        record["ResourceRecords"] = [{"Value": value} for value in wanted["ResourceRecords"]]
    if "AliasTarget" in wanted:
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **wanted["AliasTarget"]}
    return record


def _zone(to: To, wanted: dict[str, Any]) -> str:
    """The id of the zone that a record names by its id, or by a name that only one public or private zone has."""
    if "HostedZoneId" in wanted:
        return str(wanted["HostedZoneId"])
    name = str(wanted.get("HostedZoneName", ""))
    found = [
        str(zone["Id"]).rpartition("/")[2]
        for zone in to.call("route53", "list_hosted_zones")["HostedZones"]
        if zone["Name"].rstrip(".") == name.rstrip(".")
    ]
    if len(found) == 1:
        return found[0]
    problem = f"Multiple hosted zones found with name: {name}" if found else f"No hosted zone named {name} found"
    raise Gone(problem) if to.physical_id and not found else ResourceFailed(problem)


def _change(to: To, zone: str, changes: list[tuple[str, dict[str, Any]]]) -> None:
    """A batch, which is taken whole or not at all."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": _record(wanted)} for action, wanted in changes]}
    to.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)


def _delete(to: To, zone: str, records: list[dict[str, Any]]) -> None:
    """As they were put; one that somebody deleted already is Gone, one that somebody altered is refused."""
    try:
        _change(to, zone, [("DELETE", wanted) for wanted in records])
    except ResourceFailed as refused:
        if "but it was not found" in str(refused) and "do not match" not in str(refused):
            raise Gone(str(refused)) from None
        raise


class RecordSet(Adapter):
    """AWS::Route53::RecordSet; Ref is its name."""

    type = "AWS::Route53::RecordSet"

    def create(self, to: To) -> str:
        """Refused when the record is there."""
        _change(to, _zone(to, to.properties), [("CREATE", to.properties)])
        return str(to.get("Name")).rstrip(".")

    def update(self, to: To) -> None:
        """Put in place of the old one."""
        _change(to, _zone(to, to.properties), [("UPSERT", to.properties)])

    def delete(self, to: To) -> None:
        """As it was put."""
        _delete(to, _zone(to, to.properties), [to.properties])


class RecordSetGroup(Adapter):
    """AWS::Route53::RecordSetGroup; Ref is a name of its own. Its records come, change and go together."""

    type = "AWS::Route53::RecordSetGroup"

    def create(self, to: To) -> str:
        """Refused when one of the records is there."""
        _change(to, _zone(to, to.properties), [("CREATE", wanted) for wanted in to.get("RecordSets") or ()])
        return to.name()

    def update(self, to: To) -> None:
        """Records that are no longer named are deleted, the others put in place of the old ones."""
        before, after = to.old.get("RecordSets") or [], to.get("RecordSets") or []
        kept = {_identity(wanted) for wanted in after}
        gone = [("DELETE", wanted) for wanted in before if _identity(wanted) not in kept]
        put = [("UPSERT", wanted) for wanted in after if wanted not in before]
        if gone or put:
            _change(to, _zone(to, to.properties), [*gone, *put])

    def delete(self, to: To) -> None:
        """As they were put."""
        if records := to.get("RecordSets"):
            _delete(to, _zone(to, to.properties), list(records))


def _identity(wanted: dict[str, Any]) -> tuple[str, str, str]:
    return (str(wanted["Name"]).rstrip("."), str(wanted["Type"]), str(wanted.get("SetIdentifier", "")))


class HealthCheck(Adapter):
    """AWS::Route53::HealthCheck; Ref is its id. Nothing is checked."""

    type = "AWS::Route53::HealthCheck"
    FIXED = frozenset({"Type", "RequestInterval", "MeasureLatency", "RoutingControlArn"})

    def create(self, to: To) -> str:
        """As it is written."""
        settings = to.get("HealthCheckConfig")
        made = to.call("route53", "create_health_check", CallerReference=token_of(to), HealthCheckConfig=settings)
        return str(made["HealthCheck"]["Id"])

    def update(self, to: To) -> None:
        """What can be altered lies flat in the call."""
        wanted = {key: value for key, value in to.get("HealthCheckConfig").items() if key not in self.FIXED}
        to.call("route53", "update_health_check", HealthCheckId=to.physical_id, **wanted)

    def delete(self, to: To) -> None:
        """By id."""
        to.call("route53", "delete_health_check", HealthCheckId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id; reading it tells whether it is there."""
        to.call("route53", "get_health_check", HealthCheckId=to.physical_id)
        return {"HealthCheckId": to.physical_id}

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """One call for both."""
        to.call(
            "route53",
            "change_tags_for_resource",
            ResourceType="healthcheck",
            ResourceId=to.physical_id,
            AddTags=to.tag_list() or None,
            RemoveTagKeys=list(gone) or None,
        )


class QueryLogAssociation(TableAdapter):
    """AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation; Ref is its id."""

    def delete(self, to: To) -> None:
        """By what it joins."""
        to.call(
            "route53resolver",
            "disassociate_resolver_query_log_config",
            **to.pick("ResolverQueryLogConfigId", "ResourceId"),
        )


def _as_told(*names: str) -> dict[str, str | Callable[[Any], Any]]:
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
            found="ResolverQueryLogConfig.Id",
            name="Name",
            unique="CreatorRequestId",
            read="get_resolver_query_log_config",
            item="ResolverQueryLogConfig",
            attributes=_as_told(
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
            found="ResolverQueryLogConfigAssociation.Id",
            read="get_resolver_query_log_config_association",
            item="ResolverQueryLogConfigAssociation",
            attributes=_as_told("CreationTime", "Error", "ErrorMessage", "Status"),
        )
    ),
)
