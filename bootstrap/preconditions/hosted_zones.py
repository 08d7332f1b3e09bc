"""The environment's DNS zones as Route 53 tells them: what they hold, and what of it somebody else put there.

A zone that holds more than its own is not taken away: Route 53 would refuse in the middle of the work, so this looks before.
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
"""The stacks that make a zone, and the output that is its id."""


@dataclass(frozen=True)
class Record:
    """One record: its name without the last dot, its type, and its values in order."""

    name: str
    type: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.type}{f' {self.values[0]}' if self.values else ''}"


def records(route53: Any, zone_id: str) -> tuple[Record, ...]:
    """Every record of a zone; none where the zone is gone."""
    try:
        pages = list(route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id))
    except route53.exceptions.NoSuchHostedZone:
        return ()
    return tuple(
        Record(
            it["Name"].rstrip(".").replace("\\052", "*"),
            it["Type"],
            tuple(sorted(value["Value"] for value in it.get("ResourceRecords", ()))),
        )
        for page in pages
        for it in page["ResourceRecordSets"]
    )


def servers(record: Record) -> frozenset[str]:
    """The name servers that an NS record names."""
    return frozenset(value.rstrip(".") for value in record.values)


def foreign(context: Context, names: Sequence[str]) -> Iterator[str]:
    """What the zones of these stacks hold that no stack of this environment put there."""
    route53 = context.world.aws("route53")
    for name in names:
        zone_id = context.stacks[name].outputs.get(ZONES[name]) if name in context.stacks else None
        if zone_id is None:
            continue
        found = records(route53, zone_id)
        apex = next((it.name for it in found if it.type == "SOA"), "")
        own = {(apex, "SOA"), (apex, "NS"), (f"{context.settings.project}.{apex}", "A")}
        own |= {(apex, "CAA")} if name == "public-zone" else set()
        yield from (f"{it} in the zone {zone_id}" for it in found if (it.name, it.type) not in own)


def check_removal(context: Context, doing: str, names: Sequence[str]) -> None:
    """ZoneInUse, before anything is touched, where a zone of these stacks holds somebody else's records."""
    found = tuple(foreign(context, [name for name in ZONES if name in names]))
    if found:
        raise ZoneInUse(
            doing,
            "\n".join(found),
            "Move these records to another zone or delete them, then try again: Route 53 does not delete a zone that has "
            "records. Nothing was changed.",
        )


def tell_delegation(context: Context, before: Stack | None, run: Run) -> None:
    """What has to be entered by hand in the zone above, where that is not this account's: once, when it is known or changes."""
    zone, made = context.settings.network.public_zone, context.stacks.get("public-zone")
    if zone is None or zone.parent is not None or made is None:
        return
    names = made.outputs.get("NameServers", "")
    if before is None or before.outputs.get("NameServers") != names:
        run.event("delegation", domain=zone.domain, servers=names.split(","))
        run.notice(f"enter in the parent zone of {zone.domain}, as its NS record: {names.replace(',', ', ')}")


def going(context: Context) -> tuple[str, ...]:
    """The stacks whose zone a launch would take away, though the stack may stay: it has another name now, or none."""
    network = context.settings.network
    wanted = {"names": network.private_zone, "public-zone": network.public_zone.domain if network.public_zone else None}
    return tuple(
        name for name in ZONES if name in context.stacks and _domain(context.stacks[name]) not in {None, wanted[name]}
    )


def _domain(stack: Stack) -> str | None:
    """The domain of the zone that a stack has, as its outputs tell; None where it has none."""
    if "PublicDomain" in stack.outputs:
        return stack.outputs["PublicDomain"]
    name = stack.outputs.get("ControllerName")
    return name.partition(".")[2].rstrip(".") if name else None
