"""Gathers what the stack act needs: each stack's template with its parameters, and which stacks are wanted or not any more."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.cloud import instance as machine
from bootstrap.context import ROOT, Context
from bootstrap.environment import settings as environments
from bootstrap.errors import StackMissing
from bootstrap.preconditions import account
from bootstrap.stacks import composition, parameters, states
from bootstrap.values import Stack

TEMPLATES = ROOT / "cloudformation"
# What a machine that is deleted takes with it is made again from code; these hold what is not code.
PROTECTED = frozenset({"data"})


def template(context: Context, name: str, made: Mapping[str, Stack], tags: Mapping[str, str]) -> StackTemplate:
    """One stack as it should be: its template, and parameters from the settings and from the outputs of those before."""
    return StackTemplate(
        name=context.settings.stack_name(name),
        path=TEMPLATES / f"{name}.yaml",
        parameters=gather_parameters(context, name, made),
        tags=tags,
        protect=name in PROTECTED or context.settings.protect,
    )


def gather_parameters(context: Context, name: str, made: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one stack."""
    given = parameters.parameters(context.settings, name, made)
    if name == "public-zone":
        return given | {"ParentZoneId": account.parent_of(context)}
    return given | parameters.of_peer(_peer(context)) if name == "peering" else given


def _peer(context: Context) -> Mapping[str, str]:
    """The outputs of the network that this environment peers with."""
    asked = context.settings.network.peering
    assert asked is not None  # the stack is wanted only where it is asked for
    other = environments.load(context.environment_file.with_name(f"{asked.environment}.yaml"))
    found = stack.read(context.world.aws("cloudformation"), other.stack_name("network"))
    if found is None or "PrivateRouteTableIds" not in found.outputs:
        raise StackMissing(
            f"looking for the network of '{other.name}', which '{context.settings.name}' peers with",
            "it was not launched yet, or by an older version of this toolkit",
            f"Run: ./bootstrap.py --environment {other.name} network apply",
        )
    return found.outputs


def network_of(context: Context) -> tuple[str, ...]:
    """The stacks that are the network, as far as what they take from data and controller exists."""
    made = {*context.stacks, *composition.NETWORK}
    wanted = composition.wanted(context.settings)
    return tuple(it for it in wanted if it in composition.NETWORK and made.issuperset(composition.inputs_of(it)))


def unwanted(context: Context) -> tuple[str, ...]:
    """Optional stacks that are there and that the settings no longer ask for, in the order in which they are deleted."""
    wanted = composition.wanted(context.settings)
    return tuple(name for name in reversed(composition.ORDER) if name in context.stacks and name not in wanted)


def is_standing(context: Context, name: str) -> bool:
    """Whether a stack is there and says of itself what others build on: not what a failed creation or deletion left."""
    return name in context.stacks and states.is_standing(context.stacks[name].status)


def can_look(context: Context) -> bool:
    """Whether there is a machine to look at: every stack that is wanted, and a running instance."""
    if not all(is_standing(context, name) for name in context.wanted):
        return False
    instance = context.outputs("controller").get("InstanceId")
    return instance is not None and machine.state(context.world.aws("ec2"), instance) == "running"


def is_gone(context: Context) -> bool:
    """Whether a machine that the controller stack made was terminated behind its back."""
    known = context.stacks.get("controller")
    instance = known.outputs.get("InstanceId") if known else None
    return instance is not None and machine.state(context.world.aws("ec2"), instance) in machine.GONE
