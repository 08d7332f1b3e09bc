"""Collects the inputs of the stack act: the templates with their parameters, and which stacks an environment needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.cloud import instance as machine
from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import StackMissing
from bootstrap.preconditions import account, agent_groups, image_choice
from bootstrap.projects import folders
from bootstrap.stacks import composition, parameters, rules, states
from bootstrap.stacks import template as templates
from bootstrap.values import Stack

# Stacks with data, which cannot be made again from the code.
PROTECTED = frozenset({"data"})


def find_template(name: str) -> Path:
    """The template of a stack: the project's if it has one of this name, else the toolkit's."""
    return folders.find(f"cloudformation/{composition.name_template(name)}.yaml")


def make_template(context: Context, name: str, existing: Mapping[str, Stack], tags: Mapping[str, str]) -> StackTemplate:
    """The desired state of one stack: its template, and its parameters from the settings and the outputs of existing stacks."""
    return StackTemplate(
        name=context.settings.name_stack(name),
        path=find_template(name),
        parameters=gather_parameters(context, name, existing),
        tags=tags,
        protect=name in PROTECTED or context.settings.protect,
    )


def gather_parameters(context: Context, name: str, existing: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one stack. KeyError if an output is missing; StackMissing or SettingsInvalid for peers and parents.

    ImageMissing if there is no image for a first machine.
    """
    if name in context.settings.stacks:
        return parameters.make_own_parameters(
            context.settings, templates.read_declared_parameters(find_template(name)), existing
        )
    values = parameters.make_parameters(context.settings, name, existing)
    if name == "public-zone":
        return values | {"ParentZoneId": account.find_parent_zone(context)}
    if name.startswith(composition.AGENTS):
        return values | agent_groups.gather_parameters(context, name, existing)
    if name == "controller":
        return values | {
            "PeerNetwork": find_peer_network(context) or "",
            "ImageId": image_choice.choose(context, existing),
        }
    return values | parameters.make_peer_parameters(_read_peer(context)) if name == "peering" else values


def find_peer_network(context: Context) -> str | None:
    """The full name of the stack of the network that this environment peers with; None without peering."""
    peering = context.settings.network.peering
    if peering is None:
        return None
    peer_settings = environments.load(context.environment_file.with_name(f"{peering.environment}.yaml"))
    return peer_settings.name_stack("network")


def _read_peer(context: Context) -> Mapping[str, str]:
    """The outputs of the network that this environment peers with; StackMissing if it does not exist."""
    peering, stack_name = context.settings.network.peering, find_peer_network(context)
    assert peering is not None and stack_name is not None  # the stack is wanted only where it is asked for
    peer = stack.read(context.world.aws("cloudformation"), stack_name)
    if peer is None or "PrivateRouteTableIds" not in peer.outputs:
        raise StackMissing(
            f"looking for the network of '{peering.environment}', which '{context.settings.name}' peers with",
            "it was not launched yet, or by an older version of this toolkit",
            f"Run: ./bootstrap.py --environment {peering.environment} network apply",
        )
    return peer.outputs


def list_network_stacks(context: Context) -> tuple[str, ...]:
    """The stacks of the network whose inputs from other stacks exist."""
    available = {*context.stacks, *composition.NETWORK}
    chosen = composition.list_wanted_stacks(context.settings)
    return tuple(it for it in chosen if it in composition.NETWORK and available.issuperset(composition.list_inputs(it)))


def sort_stacks(context: Context, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """These stacks, or all that are wanted, in the order in which they are changed."""
    names = context.wanted if names is None else names
    return composition.sort_stacks(names, context.settings, context.stacks, _list_taken(context, names))


def list_repeated(context: Context, names: Sequence[str]) -> tuple[str, ...]:
    """Stacks of one's own that are changed before the network, to let go of its subnets: they take other outputs after it."""
    early = names[: names.index("network")] if "network" in names else ()
    return tuple(name for name in early if name in context.settings.stacks)


def _list_taken(context: Context, names: Sequence[str]) -> dict[str, Sequence[str]]:
    own = {
        name: tuple(templates.read_declared_parameters(find_template(name)))
        for name in names
        if name in context.settings.stacks
    }
    return {**composition.TAKES, **own}


def explain_waiting(context: Context, name: str) -> str:
    """Why a stack cannot be planned yet: which stacks or outputs it waits for; '' if it can."""
    needs = [it for it in composition.list_inputs(name) if it in context.wanted]
    awaited = _find_awaited_outputs(context, name) if name in context.settings.stacks else {}
    missing = [it for it in context.wanted if it in {*needs, *awaited} and not has_outputs(context, it)]
    if missing:
        listed = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        return f"the stacks {listed} do not exist" if len(missing) > 1 else f"the stack {listed} does not exist"
    if awaited:
        return "; ".join(f"the stack {giver} has no output {output}" for giver, output in awaited.items())
    if composition.is_awaiting(name, context.settings, context.stacks, _list_taken(context, [name])):
        return "the network does not have its new subnets yet; a launch removes nothing of this stack"
    return ""


def _find_awaited_outputs(context: Context, name: str) -> dict[str, str]:
    """The stacks that will give a stack of one's own a parameter which has no value yet, each with one such output."""
    path, before = find_template(name), context.wanted[: context.wanted.index(name)]
    given = gather_parameters(context, name, context.stacks)
    awaited: dict[str, str] = {}
    for parameter, default in templates.read_declared_parameters(path).items():
        giver = next((it for it in before if parameter in rules.list_outputs(find_template(it))), None)
        # The output may depend on a condition; then the default is what a launch takes, too.
        if giver and parameter not in given and (default is None or not has_outputs(context, giver)):
            awaited.setdefault(giver, parameter)
    return awaited


def list_unwanted_stacks(context: Context) -> tuple[str, ...]:
    """Existing optional stacks that the settings no longer have, in the order in which they are deleted."""
    chosen = composition.list_wanted_stacks(context.settings)
    return tuple(name for name in reversed(context.stack_order) if name in context.stacks and name not in chosen)


def list_destroyed(context: Context) -> tuple[str, ...]:
    """The stacks that 'destroy' deletes, in this order; also those that only a change set was made for.

    Not a stack whose name only looks like one of this environment's: the tags of `context.stacks` decide that.
    """
    toolkits = (name for name in context.stack_order if composition.is_of_toolkit(name))
    possible = {*context.stacks, *toolkits, *context.settings.stacks} - {*context.foreign_stacks}
    return tuple(name for name in reversed(context.stack_order) if name in possible)


def has_outputs(context: Context, name: str) -> bool:
    """Whether a stack exists and its outputs can be used: not after a failed creation or deletion."""
    return name in context.stacks and states.has_outputs(context.stacks[name].status)


def can_look(context: Context) -> bool:
    """Whether the machine can be examined: every stack of the settings exists, and the instance is running."""
    if not all(has_outputs(context, name) for name in context.wanted):
        return False
    instance = context.outputs("controller").get("InstanceId")
    return instance is not None and machine.read_state(context.world.aws("ec2"), instance) == "running"


def is_gone(context: Context) -> bool:
    """Whether somebody terminated the instance that the controller stack made."""
    controller = context.stacks.get("controller")
    instance = controller.outputs.get("InstanceId") if controller else None
    return instance is not None and machine.read_state(context.world.aws("ec2"), instance) in machine.GONE
