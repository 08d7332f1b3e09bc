"""AutoScalingRollingUpdate: a group's obsolete machines are replaced in batches, and enough of them kept in service meanwhile.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html. A machine is obsolete that was
made from another launch template than the group's, or from a version with other content (the way back makes a version of the
old content), or stands in a subnet that is none of the group's. Where the group has no room to let one go, it is larger by a
batch for the time; its size is given back at the end, and after a failure its least size at once (the rollback then replaces
what the update made). What the events say is worded as CloudFormation's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import is_true
from bootstrap.local.aws.cloudformation.errors import Interrupted, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.operations import life_policies

PAUSE_SECONDS = 0.05
Group = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """What the update policy asks for; `pause` is its text, of `seconds`."""

    batch: int
    keep: int
    percent: float
    pause: str
    seconds: float
    waits: bool
    suspended: tuple[str, ...]


def policy(to: To) -> Policy | None:
    """The group's AutoScalingRollingUpdate, with its defaults, or None. Raises ResourceFailed for one that cannot be meant."""
    asked = to.policy.get("AutoScalingRollingUpdate")
    if asked is None:
        return None
    waits = is_true(asked.get("WaitOnResourceSignals", False))
    pause = str(asked.get("PauseTime", "PT5M" if waits else "PT0S"))
    try:
        batch, keep = int(asked.get("MaxBatchSize", 1)), int(asked.get("MinInstancesInService", 0))
        percent = float(asked.get("MinSuccessfulInstancesPercent", 100))
        seconds = life_policies.seconds(pause)
    except (TypeError, ValueError, Refused) as fault:
        raise ResourceFailed(f"Invalid UpdatePolicy AutoScalingRollingUpdate of {to.logical_id}: {fault}") from None
    if batch < 1 or keep < 0 or not 0 <= percent <= 100:
        raise ResourceFailed(
            f"Invalid UpdatePolicy AutoScalingRollingUpdate of {to.logical_id}: a number is out of range"
        )
    return Policy(batch, keep, percent, pause, seconds, waits, tuple(asked.get("SuspendProcesses") or ()))


@contextmanager
def suspended(to: To, asked: Policy | None) -> Iterator[None]:
    """Keep the policy's SuspendProcesses from running meanwhile; they stay so where the server stops, for it goes on."""
    if asked is None or not asked.suspended:
        yield
        return
    what = {"AutoScalingGroupName": to.physical_id, "ScalingProcesses": list(asked.suspended)}
    to.call("autoscaling", "suspend_processes", **what)
    try:
        yield
    except ResourceFailed:
        to.call("autoscaling", "resume_processes", **what)
        raise
    to.call("autoscaling", "resume_processes", **what)


class Rolling:
    """One rolling update; `look` reads the group, `settle` waits until its machines run."""

    def __init__(self, to: To, asked: Policy, look: Callable[[], Group], settle: Callable[[], None]) -> None:
        self._to = to
        self._asked = asked
        self._look = look
        self._settle = settle
        self._total = self._successes = self._failures = 0

    def go(self) -> None:
        """Replace what is obsolete. Raises ResourceFailed, and Interrupted when the server stops."""
        group = self._look()
        obsolete = self._obsolete(group)
        if not obsolete:
            return
        asked, size, most = self._asked, int(group["DesiredCapacity"]), int(group["MaxSize"])
        if asked.keep >= most:
            raise ResourceFailed("MinInstancesInService must be less than the autoscaling group's MaxSize")
        self._total = len(obsolete)
        target = max(size, min(asked.keep + min(asked.batch, self._total), most))
        batch = max(1, min(asked.batch, target - asked.keep, self._total))
        self._to.tell(self._announced(batch))
        try:
            self._roll(obsolete, batch, size, target)
        except ResourceFailed:
            self._resize(MinSize=group["MinSize"])
            raise
        if target != size:
            self._resize(MinSize=group["MinSize"], DesiredCapacity=size)

    def _roll(self, obsolete: list[str], batch: int, size: int, target: int) -> None:
        fresh = self._total  # as many machines are made anew as are obsolete, whatever the size meanwhile
        if target > size:
            self._to.tell(f"Temporarily setting autoscaling group MinSize and DesiredCapacity to {target}.")
            with self._added(target - size):
                self._resize(MinSize=target, DesiredCapacity=target)
            fresh -= target - size
        done = 0
        while obsolete:
            going, obsolete = obsolete[:batch], obsolete[batch:]
            new = min(len(going), fresh)
            fresh -= new
            names = ",".join(going)
            self._to.tell(f"Terminating instance(s) [{names}]; replacing with {new} new instance(s).")
            with self._added(new):
                self._replace(going, new)
                done += len(going)
                progress = round(100 * done / self._total)
                self._to.tell(f"Successfully terminated instance(s) [{names}] (Progress {progress}%).")

    def _replace(self, going: list[str], new: int) -> None:
        if new < len(going):
            self._resize(MinSize=int(self._look()["DesiredCapacity"]) - len(going) + new)
        for number, name in enumerate(going):
            self._to.call(
                "autoscaling",
                "terminate_instance_in_auto_scaling_group",
                InstanceId=name,
                ShouldDecrementDesiredCapacity=number >= new,
            )
        while not self._states(going) <= {"terminated"}:  # a hook may hold them for hours
            self._pause()

    @contextmanager
    def _added(self, count: int) -> Iterator[None]:
        """Wait for the machines that are added meanwhile: until they run, and for their signals or the pause."""
        before = {one["InstanceId"] for one in self._look()["Instances"]}
        yield
        if count <= 0:
            return
        self._settle()
        new = [one["InstanceId"] for one in self._look()["Instances"] if one["InstanceId"] not in before]
        if self._asked.waits:
            self._await(new)
        else:
            self._rest(lambda: False)

    def _await(self, new: list[str]) -> None:
        asked, count = self._asked, len(new)
        self._to.tell(
            f"New instance(s) added to autoscaling group - Waiting on {count} resource signal(s) with a timeout of "
            f"{asked.pause}."
        )
        self._rest(lambda: set(new) <= self._to.signals().keys())
        came = [status for name, status in self._to.signals().items() if name in new]
        missing = count - len(came)
        if missing:
            self._to.tell(
                f"Failed to receive {missing} resource signal(s) for the current batch.  Each resource signal timeout is "
                "counted as a FAILURE."
            )
        self._successes += came.count("SUCCESS")
        self._failures += count - came.count("SUCCESS")
        if self._failures > self._total - math.ceil(self._total * asked.percent / 100):
            raise ResourceFailed(
                f"Received {self._successes} SUCCESS signal(s) out of {self._total}.  Unable to satisfy "
                f"{asked.percent:g}% MinSuccessfulInstancesPercent requirement"
            )

    def _rest(self, is_over: Callable[[], bool]) -> None:
        """Wait for the policy's time, or until it `is_over`."""
        end = time.monotonic() + self._asked.seconds
        while not is_over() and time.monotonic() < end:
            self._pause()

    def _pause(self) -> None:
        if self._to.cancelled():
            raise ResourceFailed("Resource update cancelled")
        if self._to.stacks.is_closing:
            raise Interrupted(self._to.logical_id)
        time.sleep(PAUSE_SECONDS)

    def _resize(self, **sizes: int) -> None:
        mix = self._to.pick("MixedInstancesPolicy")  # which moto drops where it is not given again
        self._to.call(
            "autoscaling", "update_auto_scaling_group", AutoScalingGroupName=self._to.physical_id, **sizes, **mix
        )

    def _announced(self, batch: int) -> str:
        asked = self._asked
        said = f"Rolling update initiated. Terminating {self._total} obsolete instance(s) in batches of {batch}"
        said += f", while keeping at least {asked.keep} instance(s) in service." if asked.keep else "."
        when = "when new instances are added to the autoscaling group."
        if asked.waits:
            return f"{said} Waiting on resource signals with a timeout of {asked.pause} {when}"
        return f"{said} Pausing for {asked.pause} {when}" if asked.seconds else said

    def _obsolete(self, group: Group) -> list[str]:
        machines = [one for one in group.get("Instances", []) if not one["LifecycleState"].startswith("Terminating")]
        if "MixedInstancesPolicy" in self._to.changed:
            return [str(one["InstanceId"]) for one in machines]
        is_as_wanted, subnets = self._judge(group), str(group.get("VPCZoneIdentifier") or "")
        places = self._places([one["InstanceId"] for one in machines]) if subnets else {}
        return [
            str(one["InstanceId"])
            for one in machines
            if not is_as_wanted(one) or (subnets and places[one["InstanceId"]] not in subnets.split(","))
        ]

    def _judge(self, group: Group) -> Callable[[dict[str, Any]], bool]:
        """Tells a machine that is made of what the group makes now."""
        mixed = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        asked = mixed or group.get("LaunchTemplate")
        if not asked:
            name = group.get("LaunchConfigurationName")
            return lambda one: one.get("LaunchConfigurationName") == name
        template = asked["LaunchTemplateId"]
        wanted = self._content(template, str(asked.get("Version") or "$Default"))
        contents: dict[str, Any] = {}

        def is_as_wanted(one: dict[str, Any]) -> bool:
            made = one.get("LaunchTemplate") or {}
            if made.get("LaunchTemplateId") != template:
                return False
            version = str(made["Version"])
            if version not in contents:
                contents[version] = self._content(template, version)
            return bool(contents[version] == wanted)

        return is_as_wanted

    def _content(self, template: str, version: str) -> Any:
        given = {"LaunchTemplateId": template, "Versions": [version]}
        return self._to.call("ec2", "describe_launch_template_versions", **given)["LaunchTemplateVersions"][0][
            "LaunchTemplateData"
        ]

    def _places(self, names: list[str]) -> dict[str, str]:
        return {one["InstanceId"]: str(one.get("SubnetId", "")) for one in self._machines(names)}

    def _states(self, names: list[str]) -> set[str]:
        return {str(one["State"]["Name"]) for one in self._machines(names)}

    def _machines(self, names: list[str]) -> list[dict[str, Any]]:
        found = self._to.call("ec2", "describe_instances", InstanceIds=names)["Reservations"] if names else []
        return [one for each in found for one in each["Instances"]]
