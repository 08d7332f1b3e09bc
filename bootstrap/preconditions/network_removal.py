"""Deletes the network of an environment, and checks the removal of a zone or tier: refused while resources use it."""

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

# Interfaces of these kinds belong to resources of the network's own stacks, and are deleted with them.
_OWN_KINDS = frozenset({"nat_gateway", "vpc_endpoint", "gateway_load_balancer_endpoint", "transit_gateway"})


def destroy(context: Context, run: Run) -> None:
    """Delete the network's stacks, last first. NetworkInUse or ZoneInUse, before anything is changed, if something uses it."""
    in_use_by = tuple(list_users(context))
    if in_use_by:
        raise NetworkInUse(
            f"destroying the network of '{context.settings.name}'",
            "\n".join(f"in use by {it}" for it in in_use_by),
            "Destroy these first; 'destroy' deletes a whole environment. Nothing was changed.",
        )
    hosted_zones.check_removal(
        context, f"destroying the network of '{context.settings.name}'", tuple(hosted_zones.ZONES)
    )
    client = context.world.aws("cloudformation")
    with run.act("stack", "deleting the network"):
        for name in reversed(composition.ORDER):
            if name in composition.NETWORK:
                stack.destroy(client, context.settings.name_stack(name), run)
    context.forget()


def list_users(context: Context) -> Iterator[str]:
    """What uses the network and is no part of it: the controller, peerings of other environments, foreign interfaces."""
    for name, existing in context.stacks.items():
        if name == "controller" or name.startswith(composition.AGENTS):
            yield f"the stack {existing.name}"
    yield from _list_peerings(context)
    if "controller" not in context.stacks and "network" in context.stacks:
        yield from _list_foreign_interfaces(context)


def check_narrowing(context: Context) -> None:
    """NetworkInUse, before anything is changed, if a zone or tier that the settings no longer have cannot be removed."""
    reasons = tuple(list_hindrances(context))
    if reasons:
        network = context.settings.network
        tiers = "" if network.isolated else " without isolated subnets"
        raise NetworkInUse(
            f"removing subnets from the network of '{context.settings.name}' to {network.zone_count} zones{tiers}",
            "\n".join(reasons),
            "Nothing was changed. Move or delete these first; for the bastion, remove network.bastion, launch, then try "
            "again, because its Auto Scaling group chooses the zone.",
        )


def list_hindrances(context: Context) -> Iterator[str]:
    """The reasons why subnets that the settings no longer have cannot be removed; none if they can.

    Either something is in them that no stack deletes with them, for example the machine of a bastion. Or other subnets are to
    be added in the same launch: ACLs leave old subnets before the network changes, and get new ones only after that.
    """
    if not composition.is_narrowed(context.settings, context.stacks):
        return
    if composition.is_widened(context.settings, context.stacks):
        yield "isolated subnets and the number of zones change in opposite directions: change one after the other"
    subnets = composition.list_lost_subnets(context.settings, context.stacks)
    network, ec2 = network_reading.read(context), context.world.aws("ec2")
    for interface in network.interfaces.values():
        is_there = interface.subnet_id in subnets and interface.kind not in _OWN_KINDS
        if is_there and not (
            interface.instance_id and instance.read_state(ec2, interface.instance_id) in instance.GONE
        ):
            where = network.subnets[interface.subnet_id].name or interface.subnet_id
            yield f"in use by {_describe(interface)} in {where}"


def _describe(interface: Interface) -> str:
    return f"the interface {interface.id}{f' of {interface.instance_id}' if interface.instance_id else ''}"


def _list_peerings(context: Context) -> Iterator[str]:
    """The stacks with which other environments peer with this one: they have routes in its route tables."""
    client = context.world.aws("cloudformation")
    for path in sorted(context.environment_file.parent.glob("*.yaml")):
        try:
            other_settings = environments.load(path)
        except SettingsInvalid:
            continue  # its own commands report its faults
        peering = other_settings.network.peering
        if peering is not None and peering.environment == context.settings.name:
            peering_stack = stack.read(client, other_settings.name_stack("peering"))
            if peering_stack is not None:
                yield f"the stack {peering_stack.name}, which peers the network of '{other_settings.name}' with this one"


def _list_foreign_interfaces(context: Context) -> Iterator[str]:
    """Interfaces in the VPC that none of the network's own stacks made; those of a terminated instance do not count."""
    network, ec2 = network_reading.read(context), context.world.aws("ec2")
    for interface in network.interfaces.values():
        is_own = (
            interface.kind in _OWN_KINDS
            or "bastion" in interface.roles
            or network.find_vpc_of(interface.subnet_id) != network.vpc_id
        )
        if not is_own and not (
            interface.instance_id and instance.read_state(ec2, interface.instance_id) in instance.GONE
        ):
            yield _describe(interface)
