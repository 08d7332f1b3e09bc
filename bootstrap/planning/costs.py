"""Estimates what the options of an environment cost a month on AWS, by the table `prices.yaml`; its prices have a date.

A region or an instance type that the table does not have is reported as having no price; no price is guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from bootstrap.environment import yaml_source
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import Bastion, FlowLogs, PublicZone, TransitGateway, Vpn
from bootstrap.errors import Fault, PricesInvalid
from bootstrap.planning import agent_costs
from bootstrap.stacks import composition, parameters
from bootstrap.values import Stack

SECRETS = 6  # the data stack's
BASTION_GIB = 8  # its template's root volume
_REMEDY = "Correct the table; its comments explain it."
_CENT = Decimal("0.01")
_UNITS = {"_million": "million", "_vcpu_hour": "vCPU and hour", "_gib": "GiB"}  # by the end of a price's key


@dataclass(frozen=True)
class Item:
    """One item: the count, and the cost of all of them a month; `monthly` is None if the table has no price."""

    name: str
    count: int
    monthly: Decimal | None
    option: str = ""  # identifies the item when two estimates are compared; does not depend on the count


@dataclass(frozen=True)
class Estimate:
    """What an environment costs a month in the currency of the table, with the source and the date of the prices."""

    items: tuple[Item, ...]
    by_use: tuple[str, ...]
    region: str
    currency: str
    noted_on: str
    source: str

    @property
    def total(self) -> Decimal:
        """The sum of all items with a price."""
        return sum((it.monthly for it in self.items if it.monthly is not None), Decimal(0)).quantize(_CENT)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The names of the items without a price."""
        return tuple(it.name for it in self.items if it.monthly is None)

    def __str__(self) -> str:
        parts = ", ".join(
            f"{f'{item.count} ' if item.count > 1 else ''}{item.name} {item.monthly.quantize(_CENT)}"
            for item in self.items
            if item.monthly is not None
        )
        unpriced = f"; no price known for {', '.join(self.unpriced)}" if self.unpriced else ""
        by_use = f"; in addition by use: {', '.join(self.by_use)}" if self.by_use else ""
        none = f"no estimate: prices.yaml has no prices for the region {self.region}"
        amount = f"about {self.total} {self.currency} a month on AWS in {self.region}" if parts else none
        return f"{amount}{f' ({parts})' if parts else ''}{unpriced}{by_use}; prices as noted on {self.noted_on}, indicative"


def read(table: Path) -> Mapping[str, Any]:
    """The content of the table; PricesInvalid with all faults and their places."""
    document = _load_table(table)
    faults = list(_find_faults(table, document))
    if faults:
        raise PricesInvalid(f"reading the prices {table}", faults, _REMEDY)
    return document


def _load_table(table: Path) -> CommentedMap:
    try:
        document, faults = yaml_source.parse_mapping(str(table), yaml_source.read_text(table))
    except yaml_source.Unreadable as error:
        document, faults = CommentedMap(), [Fault(str(table), error.line, 1, str(error))]
    if faults:
        raise PricesInvalid(f"reading the prices {table}", faults, _REMEDY)
    return document


def _find_faults(table: Path, document: CommentedMap) -> Iterator[Fault]:
    for key in ("source", "noted_on", "currency", "hours", "regions"):
        if key not in document:
            yield Fault(str(table), 1, 1, f"the key '{key}' is missing")
    if "hours" in document and not _is_price(document["hours"]):
        yield _make_fault(table, document, "hours", f"hours: {document['hours']!r} is not a number")
    regions = document.get("regions", CommentedMap())
    if not isinstance(regions, CommentedMap):
        yield _make_fault(table, document, "regions", "regions: a mapping of regions is needed here")
        return
    for region, kinds in regions.items():
        for kind, prices in kinds.items() if isinstance(kinds, CommentedMap) else [(region, None)]:
            if not isinstance(prices, CommentedMap):
                owner = kinds if isinstance(kinds, CommentedMap) else regions
                yield _make_fault(table, owner, kind, f"regions.{region}: a mapping of prices is needed here")
                continue
            for name, price in prices.items():
                if not _is_price(price):
                    yield _make_fault(table, prices, name, f"regions.{region}.{kind}.{name}: {price!r} is not a price")


def _is_price(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _make_fault(table: Path, node: CommentedMap, key: Any, message: str) -> Fault:
    line, column = node.lc.value(key)
    return Fault(str(table), line + 1, column + 1, message)


def read_standing_settings(settings: Settings, stacks: Mapping[str, Stack]) -> Settings:
    """The settings of the existing stacks, as far as they affect the cost; read from the stacks' parameters."""

    def get_tags(name: str) -> Mapping[str, str]:
        return stacks[name].parameters if name in stacks else {}

    old, endpoints, bastion, vpn, transit = (
        settings.network,
        *map(get_tags, ("endpoints", "bastion", "vpn", "transit-gateway")),
    )
    allowed = tuple(value for key, value in sorted(bastion.items()) if key.startswith("Allowed") and value)
    network = old.model_copy(
        update={
            "nat": get_tags("network").get("Nat", "none"),
            "zones": int(get_tags("network").get("Zones", old.zone_count)),
            "endpoints": tuple(
                it for it, parameter in parameters.ENDPOINTS.items() if endpoints.get(parameter) == "yes"
            ),
            "private_zone": get_tags("names").get("Domain") or None,
            "public_zone": PublicZone(domain=zone["Domain"]) if (zone := get_tags("public-zone")) else None,
            "flow_logs": (old.flow_logs or FlowLogs()) if "traffic-logs" in stacks else None,
            "bastion": Bastion(allow=allowed, instance_type=bastion["InstanceType"])
            if "InstanceType" in bastion
            else None,
            "vpn": Vpn(customer_address=vpn["CustomerAddress"]) if vpn.get("CustomerAddress") else None,
            "transit_gateway": TransitGateway(
                routes=(transit["Route1"],), direct_connect_gateway=transit.get("DirectConnectGatewayId") or None
            )
            if "Route1" in transit
            else None,
        }
    )
    machine = settings.controller.model_copy(
        update={
            "instance_type": get_tags("controller").get("InstanceType", settings.controller.instance_type),
            "root_gib": int(get_tags("controller").get("RootGib", settings.controller.root_gib)),
            "data_gib": int(get_tags("data").get("DataGib", settings.controller.data_gib)),
        }
    )
    agents = agent_costs.read_standing_groups(settings, stacks)
    return settings.model_copy(update={"network": network, "controller": machine, "agents": agents})


def describe_difference(planned: Estimate, current: Estimate) -> str:
    """How much more or less the planned environment costs than the current one, by option; '' if there is no difference."""
    before, after = ({it.option: it for it in each.items} for each in (current, planned))
    parts = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        more = (new.monthly or Decimal(0) if new else Decimal(0)) - (old.monthly or Decimal(0) if old else Decimal(0))
        if more:
            count = f"{old.count if old else 0} -> {new.count if new else 0} " if (old and new) else ""
            parts.append(
                f"{'' if new else 'no '}{count}{(new or old or planned.items[0]).name} {more.quantize(_CENT):+}"
            )
    total = planned.total - current.total
    if not parts:
        return ""
    return f"{abs(total)} {planned.currency} a month {'more' if total >= 0 else 'less'} than now ({', '.join(parts)})"


def estimate(settings: Settings, table: Path, stacks: Collection[str] | None = None) -> Estimate:
    """Estimate the cost of the environment's options a month; with `stacks`, only of those. PricesInvalid for a bad table."""
    content = read(table)
    if stacks is None:
        stacks = composition.place_agents(map(composition.name_agents_stack, settings.agents))
    prices = content["regions"].get(settings.region, {})
    counted = (
        Item(
            name,
            count,
            _compute_monthly(prices, kind, key, content["hours"], count),
            option=name if kind in {"instances", "hosted_connection"} else f"{kind}.{key}",
        )
        for name, kind, key, count in _list_options(settings, stacks)
        if count
    )
    return Estimate(
        items=tuple(counted),
        by_use=(*_list_by_use(settings, prices.get("by_use", {})), *agent_costs.list_by_use(settings, prices)),
        region=settings.region,
        currency=content["currency"],
        noted_on=str(content["noted_on"]),
        source=content["source"],
    )


def _list_options(settings: Settings, stacks: Collection[str]) -> Iterator[tuple[str, str, str, int]]:
    """The priced options of the settings in these stacks: name, kind and key of the price, and count."""
    network, machine = settings.network, settings.controller
    disks = {"controller": machine.root_gib, "data": machine.data_gib, "bastion": BASTION_GIB if network.bastion else 0}
    gib = sum(gib for name, gib in disks.items() if name in stacks) + agent_costs.count_standing_gib(settings, stacks)
    yield f"machine {machine.instance_type}", "instances", machine.instance_type, int("controller" in stacks)
    # The controller's template switches it on; the bastion's does not.
    yield "detailed monitoring", "monthly", "detailed_monitoring", int("controller" in stacks)
    yield "GiB of disk", "monthly", "gp3_gib", gib
    yield "secrets", "monthly", "secret", SECRETS if "data" in stacks else 0
    gateways = {"none": 0, "one": 1, "per-zone": network.zone_count}[network.nat]
    is_public = network.bastion is not None and bool(network.bastion.allow)
    yield "NAT gateways" if gateways > 1 else "NAT gateway", "hourly", "nat_gateway", gateways
    yield (
        "public addresses" if gateways + is_public > 1 else "public address",
        "hourly",
        "public_address",
        (gateways + is_public),
    )
    yield from agent_costs.list_options(settings, stacks)
    yield "interface endpoints", "hourly", "interface_endpoint", len(network.endpoints) * network.zone_count
    yield "private hosted zone", "monthly", "private_zone", int(network.private_zone is not None)
    yield "public hosted zone", "monthly", "public_zone", int(network.public_zone is not None)
    if network.bastion is not None:
        yield f"bastion {network.bastion.instance_type}", "instances", network.bastion.instance_type, 1
    if network.vpn is not None and network.vpn.customer_address is not None:
        yield "VPN connection", "hourly", "vpn_connection", 1
    if network.transit_gateway is not None:
        # AWS counts a Direct Connect gateway's association as an attachment, too.
        attachments = 1 + (network.transit_gateway.direct_connect_gateway is not None)
        name = f"transit gateway attachment{'s' if attachments > 1 else ''}"
        yield name, "hourly", "transit_gateway_attachment", attachments

    connection = network.direct_connect
    if connection is not None and connection.bandwidth is not None:
        yield f"hosted connection of {connection.bandwidth}", "hosted_connection", connection.bandwidth, 1


def _compute_monthly(prices: Mapping[str, Any], kind: str, key: str, hours: int, count: int) -> Decimal | None:
    price = prices.get(kind, {}).get(key)
    if price is None:
        return None
    return Decimal(str(price)) * count * (1 if kind == "monthly" else hours)


def _list_by_use(settings: Settings, prices: Mapping[str, Any]) -> Iterator[str]:
    network = settings.network
    # These have no price by hour or month: peering, egress-only and Direct Connect gateways, virtual interfaces (docs/aws.md).
    for name, key, is_chosen in (
        (
            "CPU credits beyond the baseline",
            "cpu_credits_vcpu_hour",
            any(map(_is_unlimited, _list_instance_types(settings))),
        ),
        ("NAT", "nat_gateway_gib", network.nat != "none"),
        ("endpoints", "interface_endpoint_gib", bool(network.endpoints)),
        ("flow logs", "flow_logs_gib", network.flow_logs is not None),
        ("queries' log", "query_logs_gib", network.flow_logs is not None and network.flow_logs.queries),
        ("transit gateway", "transit_gateway_gib", network.transit_gateway is not None),
        ("Direct Connect outwards", "direct_connect_gib", network.direct_connect is not None),
        ("DNS queries", "dns_queries_million", network.private_zone is not None or network.public_zone is not None),
        ("peering between zones, each way,", "between_zones_gib", network.peering is not None),
        (
            "zone's queries",
            "flow_logs_gib",
            network.public_zone is not None and network.public_zone.queries is not None,
        ),
        ("files in the bucket, each month,", "s3_gib", settings.jenkins.bucket),
    ):
        if is_chosen and key in prices:
            unit = next(unit for end, unit in _UNITS.items() if key.endswith(end))
            yield f"{name} {prices[key]} a {unit}"


def _list_instance_types(settings: Settings) -> tuple[str, ...]:
    """The types of the environment's instances."""
    bastion = settings.network.bastion
    agents = (it for group in settings.agents.values() for it in group.instance_types)
    return (settings.controller.instance_type, *([bastion.instance_type] if bastion else []), *agents)


def _is_unlimited(instance_type: str) -> bool:
    """Whether instances of the type use CPU credits without limit, and pay for them, unless somebody says otherwise."""
    return instance_type.partition(".")[0] in {"t3", "t3a", "t4g"}
