"""Commands that list, read, create, change and delete items."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..failures import Forbidden, Refused
from ..model import xmlfile
from ..model.items import Folder, Item, check_name
from ..model.jobs import Job
from .arguments import Argument, NoSuchThing
from .commands import ABORTED, BAD_STATE, Context, Failed, register_command

JOB = Argument("JOB", "Name of the job")
_SEVERAL = "Error occurred while performing this command, see previous stderr output."


@register_command(
    "list-jobs",
    "Lists all jobs in a specific view or item group.",
    Argument("NAME", "Name of the view", is_required=False),
)
async def list_jobs(context: Context) -> None:
    """Print the names of the items of the root, of a view or of a folder."""
    root = context.controller.home.tree.root
    items: list[Item] = root.items
    if context.name:
        view, folder = root.find_view(context.name), context.controller.home.tree.find(context.name)
        if view is not None:
            items = root.list_shown(view)
        elif isinstance(folder, Folder) and folder.takes_items:
            items = folder.items
        else:
            raise NoSuchThing(f"No view or item group with the given name '{context.name}' found.")
    if context.allows("Job/Read"):
        await context.terminal.print("".join(f"{item.name}\n" for item in items))


@register_command("get-job", "Dumps the job definition XML to stdout.", JOB)
async def get_job(context: Context) -> None:
    """Print the config.xml of an item."""
    item = context.find_item(context.name, Item)
    if not context.allows("Job/ExtendedRead"):
        context.require("Job/Configure")
    await context.terminal.write(xmlfile.serialise_for_client(item.root))


@register_command(
    "create-job",
    "Creates a new job by reading stdin as a configuration XML file.",
    Argument("NAME", "Name of the job to create"),
)
async def create_job(context: Context) -> None:
    """Create an item from the XML on the standard input."""
    folder, name = _find_place(context, context.name)
    check_name(name)
    context.require("Job/Create")
    context.controller.home.check_new_name(name)
    context.controller.home.tree.create(folder, name, await context.terminal.read())


@register_command(
    "copy-job",
    "Copies a job.",
    Argument("SRC", "Name of the job to copy"),
    Argument("DST", "Name of the new job to be created."),
)
async def copy_job(context: Context) -> None:
    """Copy an item; other than by the web interface it can be built at once, since the command saves it."""
    source = context.find_item(context.name, Item)
    folder, name = _find_place(context, context.given.arguments[1])
    check_name(name)
    context.require("Job/Create")
    copied = context.controller.home.tree.copy(folder, name, source)
    if isinstance(copied, Job):
        copied.is_held = False


def _find_place(context: Context, full_name: str) -> tuple[Folder, str]:
    """Find the folder of a new item, and its name there."""
    tree = context.controller.home.tree
    if tree.find(full_name) is not None:
        raise Failed(BAD_STATE, f"Job '{full_name}' already exists")
    above, slash, name = full_name.rpartition("/")
    if not slash or not above:
        return tree.root, full_name
    folder = tree.find(above)
    if folder is None:
        raise NoSuchThing(f"Unknown ItemGroup {above}")
    if not isinstance(folder, Folder) or not folder.takes_items:
        raise Failed(BAD_STATE, f"Can't create job from CLI in {above}")
    return folder, name


@register_command("update-job", "Updates the job definition XML from stdin. The opposite of the get-job command.", JOB)
async def update_job(context: Context) -> None:
    """Replace the config.xml of an item by the standard input."""
    item = context.find_item(context.name, Item)
    context.require("Job/Configure")
    context.controller.home.tree.replace(item, await context.terminal.read())
    context.controller.queue.wake()


@register_command(
    "delete-job",
    "Deletes job(s).",
    Argument("", "Name of the job(s) to delete", is_repeated=True),
)
async def delete_jobs(context: Context) -> None:
    """Delete items."""

    async def delete(item: Item) -> None:
        context.require("Job/Delete")
        context.controller.delete(item)

    await _work_on_each(context, "No such job '{}'", delete)


@register_command(
    "reload-job",
    "Reload job(s)",
    Argument("", "Name of the job(s) to reload", is_repeated=True),
)
async def reload_jobs(context: Context) -> None:
    """Read the config.xml of items from the disk again."""

    async def reload(item: Item) -> None:
        context.require("Job/Configure")
        context.controller.home.tree.reload(item)

    await _work_on_each(context, "No such item ‘{}’ exists.", reload)


async def _work_on_each(context: Context, missing: str, work: Callable[[Item], Awaitable[None]]) -> None:
    """Work on each named item; one alone fails as it is, of several the faults are printed and the others are done."""
    names, has_failed = list(dict.fromkeys(context.given.arguments)), False
    for name in names:
        try:
            item = context.controller.home.tree.find(name)
            if item is None or item.parent is None or not context.allows("Job/Read"):
                raise NoSuchThing(missing.format(name))
            await work(item)
        except (NoSuchThing, Forbidden, Refused) as fault:
            if len(names) == 1:
                raise
            await context.terminal.complain(f"{name}: {fault}\n")
            has_failed = True
    if has_failed:
        raise Failed(ABORTED, _SEVERAL)


@register_command("enable-job", "Enables a job.", JOB)
async def enable_job(context: Context) -> None:
    """Enable a job."""
    _disable(context, is_disabled=False)


@register_command("disable-job", "Disables a job.", JOB)
async def disable_job(context: Context) -> None:
    """Disable a job, which leaves the queue."""
    _disable(context, is_disabled=True)


def _disable(context: Context, *, is_disabled: bool) -> None:
    job = context.find_item(context.name, Job)
    context.require("Job/Configure")
    context.controller.disable(job, is_disabled=is_disabled)
