"""Whether the region has the instance types of an environment file, and whether the templates and images fit to them.

Without this, CloudFormation fails after minutes (a machine), or Auto Scaling starts no instance and builds wait (agents).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from bootstrap.context import Context
from bootstrap.preconditions import zones
from bootstrap.stacks import composition

Found = tuple[tuple[str | int, ...], str]
_X86, _ARM = "x86_64", "arm64"  # as EC2 names processors


@dataclass(frozen=True)
class _Use:
    """A type in the environment file: where it stands, and the processor of the image that it gets.

    The machine is in the first zone of the environment, other instances are in any.
    """

    place: tuple[str | int, ...]
    name: str
    processor: str
    is_in_first_zone: bool = False


def find_faults(context: Context, names: Sequence[str]) -> Iterator[Found]:
    """A fault for each type of these stacks that cannot run; none on the machine, whose jobs make no instances."""
    if context.world.is_on_machine:
        return
    uses = list(_list_uses(context, names))
    if not uses:
        return
    expected = _list_zones(context)
    kinds = sorted({use.name for use in uses})
    known = _read_types(context, kinds)
    offered = _read_zones(context, kinds)
    for use in uses:
        places = expected[:1] if use.is_in_first_zone else expected
        reason = _find_mismatch(use, known.get(use.name), context.settings.region) or _find_absence(
            offered.get(use.name, frozenset()), places
        )
        if reason is not None:
            yield use.place, f"'{use.name}' {reason}"


def _list_uses(context: Context, names: Sequence[str]) -> Iterator[_Use]:
    settings = context.settings
    if "controller" in names:
        yield _Use(("controller", "instance_type"), settings.controller.instance_type, _X86, True)
    if "bastion" in names and settings.network.bastion is not None:
        yield _Use(("network", "bastion", "instance_type"), settings.network.bastion.instance_type, _X86)
    for label, group in settings.agents.items():
        if composition.name_agents_stack(label) in names:
            for number, name in enumerate(group.instance_types):
                processor = _ARM if group.is_arm else _X86
                yield _Use(("agents", label, "instance_types", number), name, processor)


def _list_zones(context: Context) -> tuple[str, ...]:
    """The zones of the environment's subnets in their order: those that exist, else those that a launch would take."""
    network = context.settings.network
    existing = zones.list_existing(context) if "network" in context.stacks else ()
    return existing or network.zone_names or zones.list_available(context)[: network.zone_count]


def _read_types(context: Context, kinds: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """What EC2 knows of those types that the region has; a filter, because an unknown name in `InstanceTypes` is an error."""
    asked = [{"Name": "instance-type", "Values": list(kinds)}]
    pages = context.world.aws("ec2").get_paginator("describe_instance_types").paginate(Filters=asked)
    return {str(it["InstanceType"]): it for page in pages for it in page["InstanceTypes"]}


def _read_zones(context: Context, kinds: Sequence[str]) -> Mapping[str, Set[str]]:
    """The zones in which each type can be had."""
    paginator = context.world.aws("ec2").get_paginator("describe_instance_type_offerings")
    asked = [{"Name": "instance-type", "Values": list(kinds)}]
    offered: dict[str, set[str]] = {}
    for page in paginator.paginate(LocationType="availability-zone", Filters=asked):
        for it in page["InstanceTypeOfferings"]:
            offered.setdefault(str(it["InstanceType"]), set()).add(str(it["Location"]))
    return offered


def _find_mismatch(use: _Use, known: Mapping[str, Any] | None, region: str) -> str | None:
    """Why the image and the template do not fit to what EC2 knows of the type; None if they do."""
    if known is None:
        return f"is no instance type that {region} has"
    processors = known["ProcessorInfo"]["SupportedArchitectures"]
    if use.processor not in processors:
        return f"has {' and '.join(processors)} processors, and the image is for {use.processor}"
    if known["EbsInfo"]["EbsOptimizedSupport"] == "unsupported":
        return "cannot have volumes that are optimized for EBS, which the template asks for; take a newer type"
    if "hvm" not in known["SupportedVirtualizationTypes"]:
        return "does not start images with hardware virtualization (hvm); take a newer type"
    return None


def _find_absence(offered: Set[str], expected: Sequence[str]) -> str | None:
    """That no expected zone has the type; None if one has it, or if EC2 names no zone at all."""
    if offered and offered.isdisjoint(expected):
        return f"cannot be had in {', '.join(expected)}; it can in {', '.join(sorted(offered))}"
    return None
