"""Additions to moto's Route 53: each zone has its own name servers, its records must belong to it, and it refuses changes.

Source: the API reference of Route 53 (ChangeResourceRecordSets, CreateQueryLoggingConfig, DeleteHostedZone) and the page
on the NS and SOA records of a public hosted zone. The messages of the refusals are those that users of Route 53 report.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bootstrap.local.aws.persistence import randomness

# One server of each of these four: the first number of its names, and the domain that they end with.
_SERVERS = ((0, "com"), (512, "net"), (1024, "org"), (1536, "co.uk"))
_PRIVATE_ZONE_SERVERS = [
    "ns-1536.awsdns-00.co.uk",
    "ns-0.awsdns-00.com",
    "ns-1024.awsdns-00.org",
    "ns-512.awsdns-00.net",
]
_WRITES = {"logs:CreateLogStream", "logs:PutLogEvents"}


class Route53Patches:
    """One method for each module that is changed."""

    def _route53_models(self, module: Any) -> None:
        create, log = module.Route53Backend.create_hosted_zone, module.Route53Backend.create_query_logging_config
        original_init, zone_id = module.DelegationSet.__init__, module.create_route53_zone_id

        @functools.wraps(original_init)
        def init(delegation: Any, caller_reference: str, name_servers: Any, delegation_set_id: Any) -> None:
            original_init(delegation, caller_reference, name_servers or _make_name_servers(), delegation_set_id)

        @functools.wraps(zone_id)
        def create_route53_zone_id(*args: Any, **kwargs: Any) -> str:
            return f"Z{zone_id(*args, **kwargs)[1:]}"

        @functools.wraps(create)
        def create_hosted_zone(backend: Any, name: str, private_zone: bool, *args: Any, **kwargs: Any) -> Any:
            zone = create(backend, name, private_zone, *args, **kwargs)
            if private_zone:
                zone.delegation_set.name_servers = list(_PRIVATE_ZONE_SERVERS)
            servers = [f"{server.rstrip('.')}." for server in zone.delegation_set.name_servers]
            for record in zone.rrsets:
                record.records = servers if record.type == "NS" else [_make_soa_value(servers[0])]
            return zone

        def change_resource_record_sets(backend: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
            zone = backend.get_hosted_zone(zoneid)
            for change in change_list:
                module.validate_domain_name(change["ResourceRecordSet"]["Name"], code="InvalidChangeBatch")
                if change["Action"] not in {"CREATE", "DELETE", "UPSERT"}:
                    raise module.InvalidActionValue(change["Action"])
            refusals = list(_list_refusals(zone, change_list))
            if refusals:
                raise _make_batch_refusal(f"[{', '.join(refusals)}]")
            for change in change_list:
                _apply(module, zone, change["Action"], change["ResourceRecordSet"])

        def delete_hosted_zone(backend: Any, id_: str) -> Any:
            zone = backend.get_hosted_zone(id_)
            if any(not _is_required_record(zone, record.name, record.type) for record in zone.rrsets):
                raise _make_not_empty_refusal()
            return backend.zones.pop(zone.resource_id)

        @functools.wraps(log)
        def create_query_logging_config(backend: Any, hosted_zone_id: str, log_group_arn: str) -> Any:
            if not _allows_writing(backend.account_id, module.LOGS_GROUP_REGION, log_group_arn):
                raise _make_policy_refusal()
            return log(backend, hosted_zone_id, log_group_arn)

        module.DelegationSet.__init__ = init
        module.create_route53_zone_id = create_route53_zone_id
        module.Route53Backend.create_hosted_zone = create_hosted_zone
        module.Route53Backend.change_resource_record_sets = change_resource_record_sets
        module.Route53Backend.delete_hosted_zone = delete_hosted_zone
        module.Route53Backend.create_query_logging_config = create_query_logging_config


def _make_name_servers() -> list[str]:
    """Four name servers as Route 53 assigns them to a zone: one of each domain, with numbers from the domain's range."""
    source = randomness.find_source()
    numbers = [(first + source.randrange(512), source.randrange(64), ending) for first, ending in _SERVERS]
    return [f"ns-{number}.awsdns-{stripe:02}.{ending}" for number, stripe, ending in numbers]


def _make_soa_value(server: str) -> str:
    return f"{server} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"


def _list_refusals(zone: Any, changes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The messages for the changes that Route 53 refuses; it makes all changes of a batch, or none."""
    records = {_make_key(existing): _describe_record(existing) for existing in zone.rrsets}
    for change in changes:
        action, record = change["Action"], change["ResourceRecordSet"]
        name, kind = _complete_name(record["Name"]), record["Type"]
        key = (name, kind, record.get("SetIdentifier") or "")
        description = f"resource record set [name='{name}', type='{kind}'{_show_identifier(record)}]"
        if not f".{name}".endswith(f".{_complete_name(zone.name)}"):
            yield f"RRSet with DNS name {name} is not permitted in zone {_complete_name(zone.name)}"
        elif action == "CREATE" and key in records:
            yield f"Tried to create {description} but it already exists"
        elif action == "DELETE" and _is_required_record(zone, name, kind):
            minimum = "exactly one SOA" if kind == "SOA" else "at least one NS"
            yield f"A HostedZone must contain {minimum} record for the zone itself."
        elif action == "DELETE" and key not in records:
            yield f"Tried to delete {description} but it was not found"
        elif action == "DELETE" and records[key] != _describe_requested(record):
            yield f"Tried to delete {description} but the values provided do not match the current values"
        elif action == "DELETE":
            del records[key]
        else:
            records[key] = _describe_requested(record)


def _apply(module: Any, zone: Any, action: str, record: Mapping[str, Any]) -> None:
    """Make one change; name, type and set identifier identify a record."""
    values = [record_value["Value"] for record_value in record.get("ResourceRecords") or ()]
    new_record = module.RecordSet({**record, "Name": _complete_name(record["Name"]), "ResourceRecords": values})
    others = [existing for existing in zone.rrsets if _make_key(existing) != _make_key(new_record)]
    zone.rrsets = others if action == "DELETE" else [*others, new_record]


def _make_key(record: Any) -> tuple[str, str, str]:
    return (_complete_name(record.name), record.type, record.set_identifier or "")


def _show_identifier(record: Mapping[str, Any]) -> str:
    return f", set-identifier='{record['SetIdentifier']}'" if record.get("SetIdentifier") else ""


def _describe_record(record: Any) -> tuple[Any, ...]:
    """The content of a record in a form that can be compared: its TTL, its sorted values, the target of its alias."""
    alias = record.alias_target or {}
    return (
        str(record.ttl or ""),
        sorted(map(str, record.records or ())),
        _complete_name(str(alias.get("DNSName", ""))),
    )


def _describe_requested(record: Mapping[str, Any]) -> tuple[Any, ...]:
    values = sorted(str(one["Value"]) for one in record.get("ResourceRecords") or ())
    alias = record.get("AliasTarget") or {}
    return (str(record.get("TTL") or ""), values, _complete_name(str(alias.get("DNSName", ""))))


def _is_required_record(zone: Any, name: str, kind: str) -> bool:
    """Whether a record is the zone's own NS or SOA record, which each zone must have."""
    return kind in {"NS", "SOA"} and _complete_name(name) == _complete_name(zone.name)


def _complete_name(name: str) -> str:
    return f"{name.rstrip('.').lower()}." if name else ""


def _allows_writing(account: str, region: str, log_group_arn: str) -> bool:
    """Whether a resource policy of CloudWatch Logs allows Route 53 to write to the group; conditions are ignored."""
    from moto.logs.models import logs_backends

    policies = logs_backends[account][region].resource_policies.values()
    statements = [
        statement
        for policy in policies
        for statement in _make_list(json.loads(policy.policy_document).get("Statement"))
    ]
    allowed: set[str] = set()
    for statement in statements:
        services = _make_list(statement.get("Principal", {}).get("Service"))
        matches_group = any(_matches(text, log_group_arn) for text in _make_list(statement.get("Resource")))
        if statement.get("Effect") == "Allow" and "route53.amazonaws.com" in services and matches_group:
            allowed |= {
                text for text in _WRITES for action in _make_list(statement.get("Action")) if _matches(action, text)
            }
    return allowed == _WRITES


def _matches(pattern: str, text: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(text, pattern) or fnmatchcase(text.removesuffix(":*"), pattern.removesuffix(":*"))


def _make_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _make_batch_refusal(message: str) -> Exception:
    from moto.route53.exceptions import Route53ClientError

    refusal: Exception = Route53ClientError("InvalidChangeBatch", message)
    return refusal


def _make_not_empty_refusal() -> Exception:
    from moto.route53.exceptions import Route53ClientError

    message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
    refusal: Exception = Route53ClientError("HostedZoneNotEmpty", message)
    return refusal


def _make_policy_refusal() -> Exception:
    from moto.route53.exceptions import Route53ClientError

    message = (
        "The resource policy that you're using for Route 53 query logging doesn't grant Route 53 sufficient permission to "
        "create a log stream in the specified log group."
    )
    refusal: Exception = Route53ClientError("InsufficientCloudWatchLogsResourcePolicy", message)
    return refusal
