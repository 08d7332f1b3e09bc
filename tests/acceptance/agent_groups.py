"""What the checks look at of the groups of agents: the Auto Scaling groups, and a build on an agent of each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import canary
from evidence import GATHERERS
from subject import Client, Subject

# An instance boots, installs Java, git and its packages, and connects. The plugin itself gives up after this time, too.
START_SECONDS = 300


def name_group(subject: Subject, label: str) -> str:
    """The name of the Auto Scaling group of a label, which is that of its stack."""
    return subject.context.settings.name_stack(f"agents-{label}")


def scaling_groups(subject: Subject) -> dict[str, dict[str, Any]]:
    """The Auto Scaling group of each label, as its service describes it; those that do not exist are missing."""
    wished = {name_group(subject, label): label for label in subject.context.settings.agents}
    if not wished:
        return {}
    told = subject.context.world.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=list(wished))
    return {wished[it["AutoScalingGroupName"]]: it for it in told["AutoScalingGroups"]}


def group_builds(subject: Subject) -> dict[str, canary.Build]:
    """A canary on an agent of each group, all at the same time: some of them wait for an instance to boot."""
    labels = list(subject.context.settings.agents)
    with ThreadPoolExecutor(max(len(labels), 1)) as pool:
        started = {label: pool.submit(canary.build, Client(subject), label, START_SECONDS) for label in labels}
        return {label: future.result() for label, future in started.items()}


GATHERERS |= {function.__name__: function for function in (group_builds, scaling_groups)}
