"""The additions to moto's Route 53: name servers of each zone's own, records that are held to the zone, and its refusals.

Source: the API reference of Route 53 (ChangeResourceRecordSets, CreateQueryLoggingConfig, DeleteHostedZone) and the page
on the NS and SOA records of a public hosted zone; the words of the refusals are those that its users report.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bootstrap.local.aws.persistence import randomness

# One server of each of these four: the first number of its names, and the domain that they end with.
_SERVERS = ((0, "com"), (512, "net"), (1024, "org"), (1536, "co.uk"))
_OF_PRIVATE_ZONES = ["ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-512.awsdns-00.net"]
_WRITES = {"logs:CreateLogStream", "logs:PutLogEvents"}


class NamesPatches:
    """One method for each module that is changed."""

    def _route53_models(self, module: Any) -> None:
        create, log = module.Route53Backend.create_hosted_zone, module.Route53Backend.create_query_logging_config
        made, zone_id = module.DelegationSet.__init__, module.create_route53_zone_id

        @functools.wraps(made)
        def init(delegation: Any, caller_reference: str, name_servers: Any, delegation_set_id: Any) -> None:
            made(delegation, caller_reference, name_servers or _own_servers(), delegation_set_id)

        @functools.wraps(zone_id)
        def create_route53_zone_id(*args: Any, **given: Any) -> str:
            return f"Z{zone_id(*args, **given)[1:]}"

        @functools.wraps(create)
        def create_hosted_zone(backend: Any, name: str, private_zone: bool, *args: Any, **given: Any) -> Any:
            zone = create(backend, name, private_zone, *args, **given)
            if private_zone:
                zone.delegation_set.name_servers = list(_OF_PRIVATE_ZONES)
            servers = [f"{one.rstrip('.')}." for one in zone.delegation_set.name_servers]
            for record in zone.rrsets:
                record.records = servers if record.type == "NS" else [_authority(servers[0])]
            return zone

        def change_resource_record_sets(backend: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
            zone = backend.get_hosted_zone(zoneid)
            for one in change_list:
                module.validate_domain_name(one["ResourceRecordSet"]["Name"], code="InvalidChangeBatch")
                if one["Action"] not in {"CREATE", "DELETE", "UPSERT"}:
                    raise module.InvalidActionValue(one["Action"])
            refusals = list(_refused(zone, change_list))
            if refusals:
                raise _invalid(f"[{', '.join(refusals)}]")
            for one in change_list:
                _apply(module, zone, one["Action"], one["ResourceRecordSet"])

        def delete_hosted_zone(backend: Any, id_: str) -> Any:
            zone = backend.get_hosted_zone(id_)
            if any(not _is_the_zones_own(zone, one.name, one.type) for one in zone.rrsets):
                raise _not_empty()
            return backend.zones.pop(zone.resource_id)

        @functools.wraps(log)
        def create_query_logging_config(backend: Any, hosted_zone_id: str, log_group_arn: str) -> Any:
            if not _may_write(backend.account_id, module.LOGS_GROUP_REGION, log_group_arn):
                raise _insufficient()
            return log(backend, hosted_zone_id, log_group_arn)

        module.DelegationSet.__init__ = init
        module.create_route53_zone_id = create_route53_zone_id
        module.Route53Backend.create_hosted_zone = create_hosted_zone
        module.Route53Backend.change_resource_record_sets = change_resource_record_sets
        module.Route53Backend.delete_hosted_zone = delete_hosted_zone
        module.Route53Backend.create_query_logging_config = create_query_logging_config


def _own_servers() -> list[str]:
    """Four servers as Route 53 gives a zone: one of each domain, by numbers that go with it."""
    source = randomness.source()
    numbers = [(first + source.randrange(512), source.randrange(64), ending) for first, ending in _SERVERS]
    return [f"ns-{number}.awsdns-{stripe:02}.{ending}" for number, stripe, ending in numbers]


def _authority(server: str) -> str:
    return f"{server} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


def _refused(zone: Any, changes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What Route 53 says of each change that it does not take; a batch is taken whole, or not at all."""
    there = {_key(one): _told(one) for one in zone.rrsets}
    for change in changes:
        action, record = change["Action"], change["ResourceRecordSet"]
        name, kind = _dotted(record["Name"]), record["Type"]
        key = (name, kind, record.get("SetIdentifier") or "")
        shown = f"resource record set [name='{name}', type='{kind}'{_identifier(record)}]"
        if not f".{name}".endswith(f".{_dotted(zone.name)}"):
            yield f"RRSet with DNS name {name} is not permitted in zone {_dotted(zone.name)}"
        elif action == "CREATE" and key in there:
            yield f"Tried to create {shown} but it already exists"
        elif action == "DELETE" and _is_the_zones_own(zone, name, kind):
            least = "exactly one SOA" if kind == "SOA" else "at least one NS"
            yield f"A HostedZone must contain {least} record for the zone itself."
        elif action == "DELETE" and key not in there:
            yield f"Tried to delete {shown} but it was not found"
        elif action == "DELETE" and there[key] != _asked(record):
            yield f"Tried to delete {shown} but the values provided do not match the current values"
        elif action == "DELETE":
            del there[key]
        else:
            there[key] = _asked(record)


def _apply(module: Any, zone: Any, action: str, record: Mapping[str, Any]) -> None:
    """One change that is taken: a record is told from others by its name, type and identifier."""
    values = [one["Value"] for one in record.get("ResourceRecords") or ()]
    wanted = module.RecordSet({**record, "Name": _dotted(record["Name"]), "ResourceRecords": values})
    rest = [one for one in zone.rrsets if _key(one) != _key(wanted)]
    zone.rrsets = rest if action == "DELETE" else [*rest, wanted]


def _key(record: Any) -> tuple[str, str, str]:
    return (_dotted(record.name), record.type, record.set_identifier or "")


def _identifier(record: Mapping[str, Any]) -> str:
    return f", set-identifier='{record['SetIdentifier']}'" if record.get("SetIdentifier") else ""


def _told(record: Any) -> tuple[Any, ...]:
    """What a record says, in a form that compares: its time to live, its values in any order, where its alias leads."""
    alias = record.alias_target or {}
    return (str(record.ttl or ""), sorted(map(str, record.records or ())), _dotted(str(alias.get("DNSName", ""))))


def _asked(record: Mapping[str, Any]) -> tuple[Any, ...]:
    values = sorted(str(one["Value"]) for one in record.get("ResourceRecords") or ())
    alias = record.get("AliasTarget") or {}
    return (str(record.get("TTL") or ""), values, _dotted(str(alias.get("DNSName", ""))))


def _is_the_zones_own(zone: Any, name: str, kind: str) -> bool:
    """Whether a record is one of the two without which there is no zone."""
    return kind in {"NS", "SOA"} and _dotted(name) == _dotted(zone.name)


def _dotted(name: str) -> str:
    return f"{name.rstrip('.').lower()}." if name else ""


def _may_write(account: str, region: str, log_group_arn: str) -> bool:
    """Whether a resource policy of CloudWatch Logs lets Route 53 write to the group; conditions are not judged."""
    from moto.logs.models import logs_backends

    policies = logs_backends[account][region].resource_policies.values()
    statements = [it for policy in policies for it in _several(json.loads(policy.policy_document).get("Statement"))]
    allowed: set[str] = set()
    for it in statements:
        services = _several(it.get("Principal", {}).get("Service"))
        is_about_it = any(_matches(one, log_group_arn) for one in _several(it.get("Resource")))
        if it.get("Effect") == "Allow" and "route53.amazonaws.com" in services and is_about_it:
            allowed |= {one for one in _WRITES for action in _several(it.get("Action")) if _matches(action, one)}
    return allowed == _WRITES


def _matches(pattern: str, text: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(text, pattern) or fnmatchcase(text.removesuffix(":*"), pattern.removesuffix(":*"))


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _invalid(message: str) -> Exception:
    from moto.route53.exceptions import Route53ClientError

    refusal: Exception = Route53ClientError("InvalidChangeBatch", message)
    return refusal


def _not_empty() -> Exception:
    from moto.route53.exceptions import Route53ClientError

    said = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
    refusal: Exception = Route53ClientError("HostedZoneNotEmpty", said)
    return refusal


def _insufficient() -> Exception:
    from moto.route53.exceptions import Route53ClientError

    said = (
        "The resource policy that you're using for Route 53 query logging doesn't grant Route 53 sufficient permission to "
        "create a log stream in the specified log group."
    )
    refusal: Exception = Route53ClientError("InsufficientCloudWatchLogsResourcePolicy", said)
    return refusal
