"""Whether the heap of Jenkins fits into the memory that its service has on the instance."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.remote.desired.jenkins import MEMORY_SHARE, compute_needed_memory


def examine(context: Context) -> Iterator[Finding]:
    """One line; none for the local cloud, whose machines have the memory of this one."""
    if context.settings.cloud == "local":
        return
    kind = context.settings.controller.instance_type
    told = context.world.aws("ec2").describe_instance_types(InstanceTypes=[kind])["InstanceTypes"]
    for found in told:
        yield judge(context.settings.jenkins.heap, kind, int(found["MemoryInfo"]["SizeInMiB"]))


def judge(heap: str, kind: str, memory: int) -> Finding:
    """The heap beside the share of the service, in MiB."""
    share, needed = memory * MEMORY_SHARE // 100, compute_needed_memory(heap)
    limits = f"jenkins.heap is {heap}; jenkins.service may use {share} MiB of {kind}"
    remedy = "Lower 'jenkins.heap', or take a larger 'controller.instance_type'."
    if needed > share:
        return make_bad("memory", f"{limits}, and Java needs {needed} MiB", remedy)
    if needed > share * 3 // 4:
        return make_warning("memory", f"{limits}, of which {share - needed} MiB are not yet taken", remedy)
    return make_good("memory", limits)
