"""The inventory of a launch, as events for the report: first the versions of the code, then what the launch made.

What AWS or the machine refuses to answer is left out: an inventory never makes a launch fail.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator
from typing import Any

from bootstrap.cloud import images
from bootstrap.context import ROOT, Context
from bootstrap.errors import BootstrapError
from bootstrap.runs.journal import Run
from bootstrap.views import machine_image

_RELEASE = ["sh", "-c", '. /etc/os-release; printf \'%s %s\' "$NAME" "$(cat /etc/debian_version)"']


def report_versions(context: Context, run: Run) -> None:
    """Report the versions that are known before the launch: of the toolkit, Python, and the lock."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    lock = context.lock
    run.event("versions", of={"tool": f"{tool}, Python {platform.python_version()}", "Jenkins": lock.version,
                              "plugins in the lock": len(lock.plugins)})  # fmt: skip


def report_inventory(context: Context, run: Run) -> None:
    """Report what exists after a launch: image and system of the machine, the emulator's version, resources of the stacks."""
    versions: dict[str, str] = {}
    try:
        versions |= _read_image(context)
        versions["system"] = context.shell.run(_RELEASE).stdout.strip()
        if context.controller.is_emulated:
            versions["Jenkins"] = f"{context.controller.version}, emulated"
    except BootstrapError as error:
        run.progress(f"the inventory is incomplete: {error.found.splitlines()[0]}")
    run.event("versions", of=versions)
    run.event("resources", of=list(_list_resources(context)))


def _read_image(context: Context) -> dict[str, str]:
    ec2, instance = context.world.aws("ec2"), context.outputs("controller")["InstanceId"]
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    image = images.describe(context.world.aws, str(described["ImageId"]))
    is_pinned = image.id == machine_image.find_pinned(context.stacks)
    return {"image": f"{image}, pinned" if is_pinned else str(image)}


def _list_resources(context: Context) -> Iterator[dict[str, Any]]:
    client = context.world.aws("cloudformation")
    for stack in context.stacks.values():
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack.name):
            for summary in page["StackResourceSummaries"]:
                values = (
                    stack.name,
                    summary["LogicalResourceId"],
                    summary["ResourceType"],
                    summary.get("PhysicalResourceId", ""),
                )
                yield dict(zip(("stack", "name", "type", "id"), values, strict=True))
