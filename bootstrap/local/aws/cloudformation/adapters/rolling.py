"""AutoScalingRollingUpdate: replace a group's obsolete machines in batches, and keep enough machines in service.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html. A machine is obsolete if
it was created from another launch template than the group's, or from a version with other content (a rollback creates a
new version with the old content), or if it is in a subnet that the group no longer names.

If terminating a batch would leave too few machines in service, the group first grows, by a batch at most. At the end it gets
its size back. After a failure it gets its minimum size back at once; the rollback then replaces the machines that the update
created. The text of the events is CloudFormation's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.errors import Interrupted, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.operations import life_policies

PAUSE_SECONDS = 0.05
Group = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """The settings of the update policy; `pause` is its ISO 8601 text, `seconds` the same time in seconds."""

    batch: int
    min_in_service: int
    percent: float
    pause: str
    seconds: float
    waits_for_signals: bool
    suspended: tuple[str, ...]


def read_policy(to: To) -> Policy | None:
    """Return the group's AutoScalingRollingUpdate with its defaults, or None. Raises ResourceFailed for invalid values."""
    settings = to.policy.get("AutoScalingRollingUpdate")
    if settings is None:
        return None
    waits_for_signals = is_true(settings.get("WaitOnResourceSignals", False))
    pause = str(settings.get("PauseTime", "PT5M" if waits_for_signals else "PT0S"))
    try:
        batch, min_in_service = int(settings.get("MaxBatchSize", 1)), int(settings.get("MinInstancesInService", 0))
        percent = float(settings.get("MinSuccessfulInstancesPercent", 100))
        seconds = life_policies.parse_seconds(pause)
    except (TypeError, ValueError, OverflowError):
        raise ResourceFailed(
            f"Invalid UpdatePolicy AutoScalingRollingUpdate of {to.logical_id}: a value is not a number"
        ) from None
    except Refused as refusal:
        raise ResourceFailed(f"Invalid UpdatePolicy AutoScalingRollingUpdate of {to.logical_id}: {refusal}") from None
    if batch < 1 or min_in_service < 0 or not 0 <= percent <= 100:
        raise ResourceFailed(
            f"Invalid UpdatePolicy AutoScalingRollingUpdate of {to.logical_id}: a number is out of range"
        )
    return Policy(
        batch, min_in_service, percent, pause, seconds, waits_for_signals, tuple(settings.get("SuspendProcesses") or ())
    )


@contextmanager
def suspend_processes(to: To, policy: Policy | None) -> Iterator[None]:
    """Suspend the policy's SuspendProcesses while the block runs.

    They are resumed at the end and after ResourceFailed, but not when the server stops: the operation continues at its
    next start.
    """
    if policy is None or not policy.suspended:
        yield
        return
    parameters = {"AutoScalingGroupName": to.physical_id, "ScalingProcesses": list(policy.suspended)}
    to.call("autoscaling", "suspend_processes", **parameters)
    try:
        yield
    except ResourceFailed:
        to.call("autoscaling", "resume_processes", **parameters)
        raise
    to.call("autoscaling", "resume_processes", **parameters)


class Rolling:
    """One rolling update; `read_group` reads the group, `settle` waits until its machines run."""

    def __init__(self, to: To, policy: Policy, read_group: Callable[[], Group], settle: Callable[[], None]) -> None:
        self._to = to
        self._policy = policy
        self._read_group = read_group
        self._settle = settle
        self._total = self._successes = self._failures = 0

    def run(self) -> None:
        """Replace the obsolete machines. Raises ResourceFailed, and Interrupted when the server stops."""
        group = self._read_group()
        obsolete = self._list_obsolete(group)
        if not obsolete:
            return
        policy, size, max_size = self._policy, int(group["DesiredCapacity"]), int(group["MaxSize"])
        if policy.min_in_service >= max_size:
            raise ResourceFailed("MinInstancesInService must be less than the autoscaling group's MaxSize")
        self._total = len(obsolete)
        target = max(size, min(policy.min_in_service + min(policy.batch, self._total), max_size))
        batch = max(1, min(policy.batch, target - policy.min_in_service, self._total))
        self._to.tell(self._describe_update(batch))
        try:
            self._replace_batches(obsolete, batch, size, target)
        except ResourceFailed:
            self._resize(MinSize=group["MinSize"])
            raise
        if target != size:
            self._resize(MinSize=group["MinSize"], DesiredCapacity=size)

    def _replace_batches(self, obsolete: list[str], batch: int, size: int, target: int) -> None:
        to_create = self._total  # as many new machines as obsolete ones, whatever the group's size is meanwhile
        if target > size:
            self._to.tell(f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {target}.")
            with self._await_new(target - size):
                self._resize(MinSize=target, DesiredCapacity=target)
            to_create -= target - size
        terminated = 0
        while obsolete:
            leaving, obsolete = obsolete[:batch], obsolete[batch:]
            new = min(len(leaving), to_create)
            to_create -= new
            names = ",".join(leaving)
            self._to.tell(f"Terminating instance(s) [{names}]; replacing with {new} new instance(s).")
            with self._await_new(new):
                self._replace(leaving, new)
                terminated += len(leaving)
                progress = round(100 * terminated / self._total)
                self._to.tell(f"Successfully terminated instance(s) [{names}] (Progress {progress}%).")

    def _replace(self, leaving: list[str], new: int) -> None:
        if new < len(leaving):
            self._resize(MinSize=int(self._read_group()["DesiredCapacity"]) - len(leaving) + new)
        for number, name in enumerate(leaving):
            self._to.call(
                "autoscaling",
                "terminate_instance_in_auto_scaling_group",
                InstanceId=name,
                ShouldDecrementDesiredCapacity=number >= new,
            )
        while not self._read_states(leaving) <= {"terminated"}:  # a lifecycle hook may delay this for hours
            self._pause()

    @contextmanager
    def _await_new(self, count: int) -> Iterator[None]:
        """Wait for the `count` machines that the block adds: until they run, then for their signals or for the pause."""
        before = {one["InstanceId"] for one in self._read_group()["Instances"]}
        yield
        if count <= 0:
            return
        self._settle()
        new = [one["InstanceId"] for one in self._read_group()["Instances"] if one["InstanceId"] not in before]
        if self._policy.waits_for_signals:
            self._await_signals(new)
        else:
            self._wait_for(lambda: False)

    def _await_signals(self, new: list[str]) -> None:
        policy, count = self._policy, len(new)
        self._to.tell(
            f"New instance(s) added to autoscaling group - Waiting on {count} resource signal(s) with a timeout of "
            f"{policy.pause}."
        )
        self._wait_for(lambda: set(new) <= self._to.signals().keys())
        statuses = [status for name, status in self._to.signals().items() if name in new]
        missing = count - len(statuses)
        if missing:
            self._to.tell(
                f"Failed to receive {missing} resource signal(s) for the current batch.  Each resource signal timeout is "
                "counted as a FAILURE."
            )
        self._successes += statuses.count("SUCCESS")
        self._failures += count - statuses.count("SUCCESS")
        if self._failures > self._total - math.ceil(self._total * policy.percent / 100):
            raise ResourceFailed(
                f"Received {self._successes} SUCCESS signal(s) out of {self._total}.  Unable to satisfy "
                f"{policy.percent:g}% MinSuccessfulInstancesPercent requirement"
            )

    def _wait_for(self, is_over: Callable[[], bool]) -> None:
        """Wait for the policy's pause, or until `is_over`."""
        end = time.monotonic() + self._policy.seconds
        while not is_over() and time.monotonic() < end:
            self._pause()

    def _pause(self) -> None:
        if self._to.cancelled():
            raise ResourceFailed("Resource update cancelled")
        if self._to.stacks.is_closing:
            raise Interrupted(self._to.logical_id)
        time.sleep(PAUSE_SECONDS)

    def _resize(self, **sizes: int) -> None:
        mix = self._to.pick("MixedInstancesPolicy")  # moto removes it if the call does not repeat it
        self._to.call(
            "autoscaling", "update_auto_scaling_group", AutoScalingGroupName=self._to.physical_id, **sizes, **mix
        )

    def _describe_update(self, batch: int) -> str:
        policy = self._policy
        text = f"Rolling update initiated. Terminating {self._total} obsolete instance(s) in batches of {batch}"
        text += (
            f", while keeping at least {policy.min_in_service} instance(s) in service."
            if policy.min_in_service
            else "."
        )
        when = "when new instances are added to the autoscaling group."
        if policy.waits_for_signals:
            return f"{text} Waiting on resource signals with a timeout of {policy.pause} {when}"
        return f"{text} Pausing for {policy.pause} {when}" if policy.seconds else text

    def _list_obsolete(self, group: Group) -> list[str]:
        machines = [
            machine for machine in group.get("Instances", []) if not machine["LifecycleState"].startswith("Terminating")
        ]
        if "MixedInstancesPolicy" in self._to.changed:
            return [str(machine["InstanceId"]) for machine in machines]
        is_current, subnets = self._make_check(group), str(group.get("VPCZoneIdentifier") or "")
        subnet_ids = self._find_subnets([machine["InstanceId"] for machine in machines]) if subnets else {}
        return [
            str(machine["InstanceId"])
            for machine in machines
            if not is_current(machine) or (subnets and subnet_ids[machine["InstanceId"]] not in subnets.split(","))
        ]

    def _make_check(self, group: Group) -> Callable[[dict[str, Any]], bool]:
        """Return a function that tells whether a machine was created from the group's current launch template."""
        mixed = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        specification = mixed or group.get("LaunchTemplate")
        if not specification:
            name = group.get("LaunchConfigurationName")
            return lambda machine: machine.get("LaunchConfigurationName") == name
        template = specification["LaunchTemplateId"]
        current = self._read_template(template, str(specification.get("Version") or "$Default"))
        contents: dict[str, Any] = {}

        def is_current(machine: dict[str, Any]) -> bool:
            made_from = machine.get("LaunchTemplate") or {}
            if made_from.get("LaunchTemplateId") != template:
                return False
            version = str(made_from["Version"])
            if version not in contents:
                contents[version] = self._read_template(template, version)
            return bool(contents[version] == current)

        return is_current

    def _read_template(self, template: str, version: str) -> Any:
        parameters = {"LaunchTemplateId": template, "Versions": [version]}
        return self._to.call("ec2", "describe_launch_template_versions", **parameters)["LaunchTemplateVersions"][0][
            "LaunchTemplateData"
        ]

    def _find_subnets(self, names: list[str]) -> dict[str, str]:
        return {one["InstanceId"]: str(one.get("SubnetId", "")) for one in self._describe_machines(names)}

    def _read_states(self, names: list[str]) -> set[str]:
        return {str(one["State"]["Name"]) for one in self._describe_machines(names)}

    def _describe_machines(self, names: list[str]) -> list[dict[str, Any]]:
        reservations = self._to.call("ec2", "describe_instances", InstanceIds=names)["Reservations"] if names else []
        return [one for each in reservations for one in each["Instances"]]
