"""The records of the environment's hosted zones, compared with the expected ones."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.context import Context
from bootstrap.preconditions import hosted_zones


def faults(context: Context) -> Iterator[str]:
    """Each hosted zone whose record of the controller is not the machine's address, and a delegation to other servers."""
    names, settings = context.outputs("names"), context.settings
    if settings.network.private_zone is not None:
        yield from _leads(context, names["ZoneId"], f"{settings.project}.{settings.network.private_zone}")
    if settings.network.public_zone is not None:
        outputs, domain = context.outputs("public-zone"), settings.network.public_zone.domain
        yield from _leads(context, outputs["PublicZoneId"], f"{settings.project}.{domain}")
        yield from _delegates(context, outputs["PublicZoneId"], domain)


def _leads(context: Context, zone_id: str, name: str) -> Iterator[str]:
    told = _values(context, zone_id, name, "A")
    if told != {context.machine.address}:
        yield f"{name} leads to {', '.join(sorted(told)) or 'nothing'}, the machine is {context.machine.address}"


def _delegates(context: Context, zone_id: str, domain: str) -> Iterator[str]:
    """Only where this account has the parent zone, which the stack's parameter tells."""
    stack = context.world.aws("cloudformation").describe_stacks(StackName=context.settings.name_stack("public-zone"))
    given = {it["ParameterKey"]: it["ParameterValue"] for it in stack["Stacks"][0]["Parameters"]}
    if not (parent := given.get("ParentZoneId")):
        return
    own, above = _values(context, zone_id, domain, "NS"), _values(context, parent, domain, "NS")
    if own != above:
        servers = ", ".join(sorted(own))
        yield f"the parent zone delegates {domain} to {', '.join(sorted(above)) or 'nobody'}, its servers are {servers}"


def _values(context: Context, zone_id: str, name: str, kind: str) -> frozenset[str]:
    found = hosted_zones.list_records(context.world.aws("route53"), zone_id)
    return frozenset(value.rstrip(".") for it in found if (it.name, it.type) == (name, kind) for value in it.values)
