"""The state of an environment: its stacks, its machine and its controller. It is always read, never stored."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap import wording
from bootstrap.cloud import images
from bootstrap.cloud import instance as machine
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import waiting
from bootstrap.views import agent_groups, enforcement, machine_image, mail


@dataclass(frozen=True)
class Status:
    """Rows of kind, name and state; `is_up` if the stacks are complete and the service is active."""

    rows: tuple[tuple[str, str, str], ...]
    is_up: bool


def read_status(context: Context) -> Status:
    """Read the stacks, the machine and the controller; stops at the first that does not exist or does not answer."""
    rows: list[tuple[str, str, str]] = []
    for name in context.wanted:
        stack = context.stacks.get(name)
        rows.append(("stack", context.settings.name_stack(name), stack.status if stack else "absent"))
    zone = context.stacks.get("public-zone")
    is_up = all(row[2].endswith("_COMPLETE") and "ROLLBACK" not in row[2] for row in rows)
    if zone is not None and "NameServers" in zone.outputs:
        rows.append(
            (
                "hosted zone",
                zone.outputs["PublicDomain"],
                f"answered by {zone.outputs['NameServers'].replace(',', ', ')}",
            )
        )
    rows += agent_groups.list_rows(context)
    controller_stack = context.stacks.get("controller")
    if controller_stack is None:
        return Status(tuple(rows), False)
    instance = controller_stack.outputs.get("InstanceId")
    if instance is None:  # the stack is half-made, or was rolled back
        rows.append(("machine", "none", f"not made: run '{context.tool} launch' again"))
        return Status(tuple(rows), False)
    state = machine.read_state(context.world.aws("ec2"), instance)
    rows.append(("machine", instance, state))
    if pinned := machine_image.find_pinned(context.stacks):
        rows.append(("image", str(images.describe(context.world.aws, pinned)), "pinned"))
    if state != "running":
        return Status(tuple(rows), False)
    try:
        controller = context.controller
        service = context.shell.run(["systemctl", "is-active", "jenkins.service"], check=False).stdout.strip()
    except BootstrapError as error:
        rows.append(("controller", context.url, error.found.splitlines()[0]))
        return Status(tuple(rows), False)
    rules = enforcement.read_enforcement(context.world.endpoint)
    if rules is not None:
        rows.append(("rules", "security groups, ACLs, routes", str(rules)))
    rows.append(("mail", *mail.read_mail_state(context.world.endpoint, context.settings, context.tool)))
    kind = "emulator of Jenkins" if controller.is_emulated else "Jenkins"
    rows.append(("controller", f"{controller.url} ({kind} {controller.version})", service))
    rows += _list_load_rows(context) if service == "active" else ()
    return Status(tuple(rows), is_up and service == "active")


def _list_load_rows(context: Context) -> list[tuple[str, str, str]]:
    """What waits in Jenkins' queue, and how busy its executors are, by label; why not, if Jenkins does not say."""
    try:
        queue = waiting.read_queue(context.jenkins, context.settings.agents)
        loads = waiting.read_loads(context.jenkins)
    except BootstrapError as error:
        return [("queue", "unknown", error.found.splitlines()[0])]
    rows = [("queue", wording.count_noun(len(queue), "item"), waiting.describe(queue))]
    return rows + [("executors", load.label, str(load)) for load in loads]
