"""The groups of agents of an environment: instances that Jenkins adds and removes by what waits in its queue.

Each group is one Auto Scaling group, and its name is the label by which jobs ask for it. The jobs of the toolkit itself have a
label of their own. A group of that label has the IAM role that those jobs need. Without it, they run on the machine of the
controller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from bootstrap.environment.sections import InstanceType, Section

MOST_TYPES = 4
"""The most instance types of a group; the template has a parameter for each."""

MOST_GROUPS = 8
ORDINARY = "linux"
"""The label of the agent for ordinary jobs on the controller's machine; a group of this label takes its place."""

INFRASTRUCTURE = "infrastructure"
"""The label of the jobs of the toolkit itself."""

# What the group of that label has where the file says nothing: one instance stands by, so that a job starts at once.
_OF_INFRASTRUCTURE = {"spare": 1, "executors": 2}
# Labels of the agents on the controller's machine, their names, and what Jenkins calls the controller itself.
RESERVED = frozenset({"machine", "builder", "built-in", "controller", "master", "agents"})
# AWS names processors of its own (arm64) by a 'g' behind the generation: t4g, m7gd, im4gn; a1 is older.
_ARM = re.compile(r"(a1|[a-z]+[0-9]+g[a-z]*)\..+")
Found = tuple[tuple[str | int, ...], str]


def _check_label(text: str) -> str:
    """Returns the name of a group; ValueError for one that means something else already."""
    if text in RESERVED:
        raise ValueError(f"'{text}' is a label or a node of the controller's machine; choose another name")
    return text


def is_arm(instance_type: str) -> bool:
    """Whether instances of a type have an arm64 processor, by the type's name."""
    return _ARM.fullmatch(instance_type) is not None


Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$"), AfterValidator(_check_label)]
Package = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")]


class AgentGroup(Section):
    """One group of agents: its instances, how many there may be, and how long each stays.

    `minimum` instances always run, `spare` idle ones stand by, `maximum` is the limit of both. An instance ends after
    `idle_minutes` without a build, and after `uses` builds (0: no limit). An `exclusive` group takes only jobs that ask for its
    label. With `containers`, builds make and run containers with podman, without being root.
    """

    instance_types: Annotated[tuple[InstanceType, ...], Field(min_length=1, max_length=MOST_TYPES)] = ("t3.large",)
    spot: bool = False
    minimum: Annotated[int, Field(ge=0, le=100)] = 0
    maximum: Annotated[int, Field(ge=1, le=100)] = 2
    spare: Annotated[int, Field(ge=0, le=100)] = 0
    executors: Annotated[int, Field(ge=1, le=32)] = 1
    idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    uses: Annotated[int, Field(ge=0, le=10000)] = 0
    exclusive: bool = True
    disk_gib: Annotated[int, Field(ge=8, le=1024)] = 20
    packages: Annotated[tuple[Package, ...], Field(max_length=100)] = ()
    containers: bool = False

    @property
    def is_arm(self) -> bool:
        """Whether the instances have arm64 processors; the types of a group are all of one kind."""
        return is_arm(self.instance_types[0])


def _add_defaults(groups: dict[str, AgentGroup]) -> dict[str, AgentGroup]:
    """The groups, with the defaults of the one for the toolkit's jobs where the file has no value."""
    group = groups.get(INFRASTRUCTURE)
    if group is None:
        return groups
    chosen = {key: value for key, value in _OF_INFRASTRUCTURE.items() if key not in group.model_fields_set}
    return {label: it.model_copy(update=chosen) if label == INFRASTRUCTURE else it for label, it in groups.items()}


Agents = Annotated[dict[Label, AgentGroup], Field(max_length=MOST_GROUPS), AfterValidator(_add_defaults)]


def takes_toolkit_jobs(groups: Mapping[str, AgentGroup]) -> bool:
    """Whether a group runs the jobs of the toolkit itself; else they run on the controller's machine."""
    return INFRASTRUCTURE in groups


def takes_ordinary_jobs(groups: Mapping[str, AgentGroup]) -> bool:
    """Whether jobs without a label run on a group; else they run on the agent `builder` on the controller's machine."""
    return any(not group.exclusive for group in groups.values())


def find_faults(groups: Mapping[str, AgentGroup], *, is_local: bool, has_way_out: bool) -> Iterator[Found]:
    """Every fault of groups whose values are each valid by themselves."""
    for label, group in groups.items():
        place = ("agents", label)
        if len(set(group.instance_types)) < len(group.instance_types):
            yield (*place, "instance_types"), "has a type twice"
        if len({is_arm(it) for it in group.instance_types}) > 1:
            yield (
                (*place, "instance_types"),
                "has types with x86-64 and with arm64 processors; one image serves one kind",
            )
        elif is_local and group.is_arm:
            yield (
                (*place, "instance_types"),
                "has arm64 processors; the local cloud's machines are x86-64 like this one",
            )
        if group.minimum > group.maximum:
            yield (*place, "minimum"), f"is above the maximum, {group.maximum}"
        if group.spare > group.maximum:
            yield (*place, "spare"), f"is above the maximum, {group.maximum}"
        if group.uses and group.executors > 1:
            yield (*place, "uses"), "needs 'executors: 1': builds that run together would share the count"
        if label == INFRASTRUCTURE:
            yield from _find_faults_of_infrastructure(group)
        if not is_local and not has_way_out:
            message = "its instances install Java and git from Debian's mirror, and 'nat: none' gives them no way there"
            yield place, f"{message}; set network.nat to 'one' or 'per-zone'"


def _find_faults_of_infrastructure(group: AgentGroup) -> Iterator[Found]:
    place = ("agents", INFRASTRUCTURE)
    if not group.exclusive:
        yield (
            (*place, "exclusive"),
            "is false, and every job without a label would get the IAM role of the toolkit's jobs",
        )
    if group.maximum * group.executors < 2:
        yield (*place, "maximum"), "leaves one build at a time, and the job 'verify' waits for a build that it starts"
