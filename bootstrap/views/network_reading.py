"""Reads an environment's network from EC2 for the analyser, and its intentions from the environment file."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.context import Context
from bootstrap.environment.models import Settings
from bootstrap.environment.settings import find_named_environments
from bootstrap.network import planned_interfaces, snapshot
from bootstrap.network.intentions import Intention, is_environment
from bootstrap.network.model import Network


def read(context: Context, names: Sequence[str] = ()) -> Network:
    """Read the environment's network, and the VPCs of the environments that its intentions or `names` mention."""
    settings = context.settings
    names_asked = {*settings.network.intentions.list_environments(), *(it for it in names if is_environment(it))}
    named = find_named_environments(context.environment_file, settings, sorted(names_asked))
    return snapshot.read(
        context.world.aws("ec2"),
        context.outputs("network")["VpcId"],
        f"{settings.project}-{settings.name}-",
        settings.access.operator_cidrs,
        named,
    )


def add_planned_interfaces(context: Context, network: Network) -> Network:
    """The network with a planned interface for each role that no interface has yet."""
    bastion = context.settings.network.bastion
    public = ("bastion",) if bastion is not None and bastion.allow else ()
    return planned_interfaces.add_planned_interfaces(network, context.outputs("network"), public)


def list_intentions(settings: Settings) -> tuple[tuple[Intention, ...], tuple[Intention, ...]]:
    """The intentions of the environment: those to allow, and those to deny."""
    bastion = settings.network.bastion.allow if settings.network.bastion else ()
    intentions, operators = settings.network.intentions, settings.access.operator_cidrs
    return (
        intentions.list_allowed(bastion, operators=operators, is_ssh_direct=settings.ssh == "direct"),
        intentions.list_denied(),
    )
