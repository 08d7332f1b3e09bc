"""What the options of an environment cost a month on AWS, by the table `prices.yaml`: an estimate, and it says of when.

A region or an instance type that the table does not have is named as unpriced; nothing is guessed from another's price.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from bootstrap import written
from bootstrap.errors import Fault, PricesInvalid
from bootstrap.settings import Settings

SECRETS = 4  # the data stack's
BASTION_GIB = 8  # its template's root volume
_REMEDY = "Mend the table; its own comments explain it."
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Item:
    """One thing that costs: how many of it, and what they cost together a month; None where the table has no price."""

    name: str
    count: int
    monthly: Decimal | None


@dataclass(frozen=True)
class Estimate:
    """What an environment costs a month, in the table's currency, and where that is from."""

    items: tuple[Item, ...]
    by_use: tuple[str, ...]
    region: str
    currency: str
    noted_on: str
    source: str

    @property
    def total(self) -> Decimal:
        """All that has a price."""
        return sum((it.monthly for it in self.items if it.monthly is not None), Decimal(0)).quantize(_CENT)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """What the table has no price for."""
        return tuple(it.name for it in self.items if it.monthly is None)

    def __str__(self) -> str:
        parts = ", ".join(
            f"{f'{it.count} ' if it.count > 1 else ''}{it.name} {it.monthly.quantize(_CENT)}"
            for it in self.items
            if it.monthly is not None
        )
        left = f"; no price known for {', '.join(self.unpriced)}" if self.unpriced else ""
        beside = f"; by use besides: {', '.join(self.by_use)}" if self.by_use else ""
        about = f"about {self.total} {self.currency} a month on AWS in {self.region}" if parts else "no estimate"
        return f"{about}{f' ({parts})' if parts else ''}{left}{beside}; prices as noted on {self.noted_on}, indicative"


def read(table: Path) -> Mapping[str, Any]:
    """The table's content; PricesInvalid with the place of the first thing that is wrong in it."""
    document = _document(table)
    faults = list(_faults(table, document))
    if faults:
        raise PricesInvalid(f"reading the prices {table}", faults, _REMEDY)
    return document


def _document(table: Path) -> CommentedMap:
    try:
        document, faults = written.mapping(str(table), written.text(table))
    except written.Unreadable as error:
        document, faults = CommentedMap(), [Fault(str(table), error.line, 1, str(error))]
    if faults:
        raise PricesInvalid(f"reading the prices {table}", faults, _REMEDY)
    return document


def _faults(table: Path, document: CommentedMap) -> Iterator[Fault]:
    for key in ("source", "noted_on", "currency", "hours", "regions"):
        if key not in document:
            yield Fault(str(table), 1, 1, f"the key '{key}' is missing")
    if "hours" in document and not _is_price(document["hours"]):
        yield _at(table, document, "hours", f"hours: {document['hours']!r} is not a number")
    regions = document.get("regions", CommentedMap())
    if not isinstance(regions, CommentedMap):
        yield _at(table, document, "regions", "regions: a mapping of regions belongs here")
        return
    for region, kinds in regions.items():
        for kind, prices in kinds.items() if isinstance(kinds, CommentedMap) else [(region, None)]:
            if not isinstance(prices, CommentedMap):
                owner = kinds if isinstance(kinds, CommentedMap) else regions
                yield _at(table, owner, kind, f"regions.{region}: a mapping of prices belongs here")
                continue
            for name, price in prices.items():
                if not _is_price(price):
                    yield _at(table, prices, name, f"regions.{region}.{kind}.{name}: {price!r} is not a price")


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _at(table: Path, node: CommentedMap, key: Any, message: str) -> Fault:
    line, column = node.lc.value(key)
    return Fault(str(table), line + 1, column + 1, message)


def estimate(settings: Settings, table: Path) -> Estimate:
    """What the environment's options cost a month, by the table in that file."""
    told = read(table)
    prices = told["regions"].get(settings.region, {})
    counted = (
        Item(name, count, _monthly(prices, kind, key, told["hours"], count))
        for name, kind, key, count in _options(settings)
        if count
    )
    return Estimate(
        items=tuple(counted),
        by_use=tuple(_by_use(settings, prices.get("by_use", {}))),
        region=settings.region,
        currency=told["currency"],
        noted_on=str(told["noted_on"]),
        source=told["source"],
    )


def _options(settings: Settings) -> Iterator[tuple[str, str, str, int]]:
    """What the settings ask for: its name, the kind and key of its price, and how many."""
    network, machine = settings.network, settings.controller
    yield f"machine {machine.instance_type}", "instances", machine.instance_type, 1
    yield (
        "GiB of disk",
        "monthly",
        "gp3_gib",
        machine.root_gib + machine.data_gib + (BASTION_GIB if network.bastion else 0),
    )
    yield "secrets", "monthly", "secret", SECRETS
    gateways = {"none": 0, "one": 1, "per-zone": network.zones}[network.nat]
    is_public = network.bastion is not None and bool(network.bastion.allow)
    yield "NAT gateways" if gateways > 1 else "NAT gateway", "hourly", "nat_gateway", gateways
    yield (
        "public addresses" if gateways + is_public > 1 else "public address",
        "hourly",
        "public_address",
        (gateways + is_public),
    )
    yield "interface endpoints", "hourly", "interface_endpoint", len(network.endpoints) * network.zones
    yield "private DNS zone", "monthly", "private_zone", int(network.private_zone is not None)
    if network.bastion is not None:
        yield f"bastion {network.bastion.instance_type}", "instances", network.bastion.instance_type, 1
    if network.vpn is not None and network.vpn.customer_address is not None:
        yield "VPN connection", "hourly", "vpn_connection", 1


def _monthly(prices: Mapping[str, Any], kind: str, key: str, hours: int, count: int) -> Decimal | None:
    price = prices.get(kind, {}).get(key)
    if price is None:
        return None
    return Decimal(str(price)) * count * (1 if kind == "monthly" else hours)


def _by_use(settings: Settings, prices: Mapping[str, Any]) -> Iterator[str]:
    network = settings.network
    for name, key, is_chosen in (
        ("NAT", "nat_gateway_gib", network.nat != "none"),
        ("endpoints", "interface_endpoint_gib", bool(network.endpoints)),
        ("flow logs", "flow_logs_gib", network.flow_logs is not None),
    ):
        if is_chosen and key in prices:
            yield f"{name} {prices[key]} a GiB"
