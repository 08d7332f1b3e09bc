"""The environment's hosted zones in Route 53: their records, and those that no stack of the environment made.

A hosted zone with foreign records is not deleted. Route 53 would refuse that in the middle of a deletion: it is checked before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.context import Context
from bootstrap.errors import ZoneInUse
from bootstrap.runs.journal import Run
from bootstrap.values import Stack

ZONES = {"names": "ZoneId", "public-zone": "PublicZoneId"}
"""The stacks that make a hosted zone, and the output with its id."""


@dataclass(frozen=True)
class Record:
    """One record: its name without the last dot, its type, and its sorted values."""

    name: str
    type: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.type}{f' {self.values[0]}' if self.values else ''}"


def list_records(route53: Any, zone_id: str) -> tuple[Record, ...]:
    """Every record of a hosted zone; empty if it was deleted."""
    try:
        pages = list(route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id))
    except route53.exceptions.NoSuchHostedZone:
        return ()
    return tuple(
        Record(
            record_set["Name"].rstrip(".").replace("\\052", "*"),
            record_set["Type"],
            tuple(sorted(value["Value"] for value in record_set.get("ResourceRecords", ()))),
        )
        for page in pages
        for record_set in page["ResourceRecordSets"]
    )


def list_name_servers(record: Record) -> frozenset[str]:
    """The name servers in an NS record."""
    return frozenset(value.rstrip(".") for value in record.values)


def list_foreign_records(context: Context, names: Sequence[str]) -> Iterator[str]:
    """The records in the hosted zones of these stacks that no stack of this environment made, as text."""
    route53 = context.world.aws("route53")
    for name in names:
        zone_id = context.stacks[name].outputs.get(ZONES[name]) if name in context.stacks else None
        if zone_id is None:
            continue
        all_records = list_records(route53, zone_id)
        apex = next((record.name for record in all_records if record.type == "SOA"), "")
        own = {(apex, "SOA"), (apex, "NS"), (f"{context.settings.project}.{apex}", "A")}
        own |= {(apex, "CAA")} if name == "public-zone" else set()
        yield from (
            f"{record} in the hosted zone {zone_id}" for record in all_records if (record.name, record.type) not in own
        )


def check_removal(context: Context, doing: str, names: Sequence[str]) -> None:
    """ZoneInUse if a hosted zone of these stacks has foreign records; called before anything is changed."""
    foreign_records = tuple(list_foreign_records(context, [name for name in ZONES if name in names]))
    if foreign_records:
        raise ZoneInUse(
            doing,
            "\n".join(foreign_records),
            "Move these records to another hosted zone or delete them, then try again: Route 53 does not delete a hosted "
            "zone that has records. Nothing was changed.",
        )


def report_delegation(context: Context, before: Stack | None, run: Run) -> None:
    """Report the NS record to enter in the parent zone, if another account has that one: when it is new or has changed."""
    zone, stack = context.settings.network.public_zone, context.stacks.get("public-zone")
    if zone is None or zone.parent is not None or stack is None:
        return
    names = stack.outputs.get("NameServers", "")
    if before is None or before.outputs.get("NameServers") != names:
        run.event("delegation", domain=zone.domain, servers=names.split(","))
        run.notice(f"enter in the parent zone of {zone.domain}, as its NS record: {names.replace(',', ', ')}")


def list_zones_to_delete(context: Context) -> tuple[str, ...]:
    """The stacks whose hosted zone a launch would delete, because it has another name in the settings now, or none."""
    network = context.settings.network
    domains = {
        "names": network.private_zone,
        "public-zone": network.public_zone.domain if network.public_zone else None,
    }
    return tuple(
        name
        for name in ZONES
        if name in context.stacks and _read_domain(context.stacks[name]) not in {None, domains[name]}
    )


def _read_domain(stack: Stack) -> str | None:
    """The domain of a stack's hosted zone, by its outputs; None if it has none."""
    if "PublicDomain" in stack.outputs:
        return stack.outputs["PublicDomain"]
    name = stack.outputs.get("ControllerName")
    return name.partition(".")[2].rstrip(".") if name else None
