"""What a launch is made of, told into its journal for the report: versions before anything is made, then what stands.

A look that AWS or the machine refuses leaves its part out: an inventory never fails a launch.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator
from typing import Any

from bootstrap.context import ROOT, Context
from bootstrap.errors import BootstrapError
from bootstrap.runs.journal import Run

_RELEASE = ["sh", "-c", '. /etc/os-release; printf \'%s %s\' "$NAME" "$(cat /etc/debian_version)"']


def tell_versions(context: Context, run: Run) -> None:
    """The versions that are known before anything is made: the tool's, Python's, those of the lock."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    lock = context.lock
    run.event("versions", of={"tool": f"{tool}, Python {platform.python_version()}", "Jenkins": lock.version,
                              "plugins in the lock": len(lock.plugins)})  # fmt: skip


def tell(context: Context, run: Run) -> None:
    """What stands after a launch: the machine's image and system, what runs as Jenkins, every resource of the stacks."""
    found: dict[str, str] = {}
    try:
        found |= _image(context)
        found["system"] = context.shell.run(_RELEASE).stdout.strip()
        if context.controller.is_emulated:
            found["Jenkins"] = f"{context.controller.version}, emulated"
    except BootstrapError as error:
        run.progress(f"the inventory is incomplete: {error.found.splitlines()[0]}")
    run.event("versions", of=found)
    run.event("resources", of=list(_resources(context)))


def _image(context: Context) -> dict[str, str]:
    ec2, instance = context.world.aws("ec2"), context.outputs("controller")["InstanceId"]
    described = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    image = str(described["ImageId"])
    known = ec2.describe_images(ImageIds=[image])["Images"]  # empty once its owner has withdrawn it
    return {"image": f"{image} ({known[0]['Name']})" if known else image}


def _resources(context: Context) -> Iterator[dict[str, Any]]:
    client = context.world.aws("cloudformation")
    for stack in context.stacks.values():
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack.name):
            for it in page["StackResourceSummaries"]:
                told = (stack.name, it["LogicalResourceId"], it["ResourceType"], it.get("PhysicalResourceId", ""))
                yield dict(zip(("stack", "name", "type", "id"), told, strict=True))
