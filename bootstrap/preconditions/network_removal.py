"""Taking down an environment's network alone, or a zone or tier of it: refused while things stand there, with their names."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.acts import stack
from bootstrap.cloud import instance
from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import NetworkInUse, SettingsInvalid
from bootstrap.network.model import Interface
from bootstrap.preconditions import hosted_zones
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition
from bootstrap.views import network_reading

# Interfaces of these kinds belong to what the network's own stacks made, and go with it.
_OWN_KINDS = frozenset({"nat_gateway", "vpc_endpoint", "gateway_load_balancer_endpoint", "transit_gateway"})


def destroy(context: Context, run: Run) -> None:
    """Delete the network's stacks, last first; NetworkInUse, before anything is touched, where something stands on it."""
    standing = tuple(users(context))
    if standing:
        raise NetworkInUse(
            f"destroying the network of '{context.settings.name}'",
            "\n".join(f"in use by {it}" for it in standing),
            "Destroy these first; 'destroy' deletes a whole environment. Nothing was changed.",
        )
    hosted_zones.check_removal(
        context, f"destroying the network of '{context.settings.name}'", tuple(hosted_zones.ZONES)
    )
    client = context.world.aws("cloudformation")
    with run.act("stack", "deleting the network"):
        for name in reversed(composition.ORDER):
            if name in composition.NETWORK:
                stack.destroy(client, context.settings.stack_name(name), run)
    context.forget()


def users(context: Context) -> Iterator[str]:
    """What stands on the network and is not of it: the controller, peerings of other environments, foreign interfaces."""
    if "controller" in context.stacks:
        yield f"the stack {context.stacks['controller'].name}"
    yield from _peerings(context)
    if "controller" not in context.stacks and "network" in context.stacks:
        yield from _interfaces(context)


def check_narrowing(context: Context) -> None:
    """NetworkInUse, before anything is touched, where a zone or tier that the settings no longer ask for cannot go."""
    found = tuple(hindrances(context))
    if found:
        network = context.settings.network
        tiers = "" if network.isolated else " without isolated subnets"
        raise NetworkInUse(
            f"removing subnets from the network of '{context.settings.name}' to {network.zone_count} zones{tiers}",
            "\n".join(found),
            "Nothing was changed. Move or delete these first; for the bastion, remove network.bastion, launch, then try "
            "again, because its Auto Scaling group chooses the zone.",
        )


def hindrances(context: Context) -> Iterator[str]:
    """Why subnets that the settings no longer ask for cannot go: what stands in them and no stack takes along, as a bastion's
    machine; or that others are to come at once: ACLs let go before the network changes, and take hold only afterwards.
    """
    if not composition.is_narrowed(context.settings, context.stacks):
        return
    if composition.is_widened(context.settings, context.stacks):
        yield "isolated subnets and the number of zones change in opposite directions: change one after the other"
    subnets = composition.leaving(context.settings, context.stacks)
    network, ec2 = network_reading.read(context), context.world.aws("ec2")
    for it in network.interfaces.values():
        is_there = it.subnet_id in subnets and it.kind not in _OWN_KINDS
        if is_there and not (it.instance_id and instance.state(ec2, it.instance_id) in instance.GONE):
            where = network.subnets[it.subnet_id].name or it.subnet_id
            yield f"in use by {_named(it)} in {where}"


def _named(it: Interface) -> str:
    return f"the interface {it.id}{f' of {it.instance_id}' if it.instance_id else ''}"


def _peerings(context: Context) -> Iterator[str]:
    """Stacks by which other environments peer with this one: their routes stand in its tables."""
    client = context.world.aws("cloudformation")
    for path in sorted(context.environment_file.parent.glob("*.yaml")):
        try:
            other = environments.load(path)
        except SettingsInvalid:
            continue  # its own commands say what is wrong with it
        asked = other.network.peering
        if asked is not None and asked.environment == context.settings.name:
            found = stack.read(client, other.stack_name("peering"))
            if found is not None:
                yield f"the stack {found.name}, with which '{other.name}' peers with it"


def _interfaces(context: Context) -> Iterator[str]:
    """Interfaces in the VPC that none of the network's own stacks made; an instance that is gone no longer counts."""
    network, ec2 = network_reading.read(context), context.world.aws("ec2")
    for it in network.interfaces.values():
        is_own = it.kind in _OWN_KINDS or "bastion" in it.roles or network.vpc_of(it.subnet_id) != network.vpc_id
        if not is_own and not (it.instance_id and instance.state(ec2, it.instance_id) in instance.GONE):
            yield _named(it)
