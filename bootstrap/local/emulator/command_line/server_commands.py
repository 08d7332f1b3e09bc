"""Commands about the server: help, caller, version, plugins, quiet mode, restart and reload."""

from __future__ import annotations

from ..failures import Forbidden
from .arguments import Argument, Kind, NoSuchThing, Option
from .commands import ABORTED, COMMANDS, DENIED, Context, Failed, list_unmodelled, register_command

# What the client prints of its own options, which `help` shows to a caller who may not read.
_SIGN_IN = "You must authenticate to access this Jenkins.\nUse the option -auth USER:SECRET of jenkins-cli.jar."
_RESTART = 5  # Jenkins' systemd lifecycle ends with this exit code for a restart


@register_command(
    "help",
    "Lists all the available commands or a detailed description of single command.",
    Argument("COMMAND", "Name of the command", is_required=False),
    is_open=True,
)
async def explain(context: Context) -> None:
    """Print the commands that the emulator has, or the usage of one."""
    if not context.allows("Overall/Read"):
        raise Failed(DENIED, _SIGN_IN)
    if context.name in COMMANDS:
        await context.terminal.complain(COMMANDS[context.name].render_usage())
        return
    for name, entry in sorted(COMMANDS.items()):
        await context.terminal.complain(f"  {name}\n    {entry.description}\n")
    if context.name:
        raise Failed(ABORTED, f"No such command {context.name}. Available commands are above. ")
    lacking = sum(map(len, list_unmodelled().values()))
    await context.terminal.complain(
        f"(the emulator; it lacks {lacking} further commands of Jenkins and refuses them)\n"
    )


@register_command("who-am-i", "Reports your credential and permissions.", is_open=True)
async def tell_caller(context: Context) -> None:
    """Print who the caller is."""
    groups = "".join(f"  {group}\n" for group in context.identity.authorities)
    await context.terminal.print(f"Authenticated as: {context.identity.name}\nAuthorities:\n{groups}")


@register_command("version", "Outputs the current version.")
async def tell_version(context: Context) -> None:
    """Print the version of the Jenkins that is emulated."""
    await context.terminal.print(f"{context.controller.home.options.version}\n")


@register_command("session-id", "Outputs the session ID, which changes every time Jenkins restarts.")
async def tell_session(context: Context) -> None:
    """Print the ID of the session, as in the header X-Jenkins-Session."""
    await context.terminal.print(f"{context.controller.session}\n")


@register_command(
    "list-plugins",
    "Outputs a list of installed plugins.",
    Argument("NAME", "Name of a specific plugin", is_required=False),
)
async def list_plugins(context: Context) -> None:
    """Print the plugins in three columns; the emulator makes their long names from the short ones."""
    context.require("Overall/Administer")
    plugins = context.controller.home.options.plugins
    if context.name and context.name not in plugins:
        raise NoSuchThing(f"No plugin with the name '{context.name}' found")
    chosen = [context.name] if context.name else sorted(plugins)
    titles = {name: context.controller.home.options.find_title(name) for name in chosen}
    wide, wider = max(map(len, chosen), default=1), max(map(len, titles.values()), default=1)
    for name in chosen:
        await context.terminal.print(f"{name:{wide}} {titles[name]:{wider}} {plugins[name]}\n")


@register_command(
    "quiet-down",
    "Quiet down Jenkins, in preparation for a restart. Don’t start any builds.",
    Option("-block", "Block until the system really quiets down and no builds are running"),
    Option(
        "-timeout",
        "If non-zero, only block up to the specified number of milliseconds",
        Kind.NUMBER,
        default="0",
    ),
    Option("-reason", "Reason for quiet down that will be visible to users", Kind.TEXT, default=""),
)
async def quiet_down(context: Context) -> None:
    """Begin quiet mode."""
    context.require("Overall/Manage")
    seconds = context.given.numbers.get("-timeout", 0) / 1000
    blocks = "-block" in context.given.flags
    await context.controller.quiet_down(context.given.texts.get("-reason", ""), seconds if blocks else None)


@register_command("cancel-quiet-down", 'Cancel the effect of the "quiet-down" command.')
async def cancel_quiet_down(context: Context) -> None:
    """End quiet mode."""
    context.require("Overall/Manage")
    context.controller.cancel_quiet_down()


@register_command(
    "safe-restart",
    "Safe Restart Jenkins. Don’t start any builds.",
    Option("-message", "Message for safe restart that will be visible to users", Kind.TEXT, default=""),
)
async def restart(context: Context) -> None:
    """Restart when the running builds have ended."""
    context.require("Overall/Manage")
    context.controller.quiet_mode.reason = context.given.texts.get("-message", "")
    context.controller.leave(_RESTART, waits=True)


@register_command(
    "reload-configuration",
    "Discard all the loaded data in memory and reload everything from file system. Useful when you modified config files "
    "directly on disk.",
)
async def reload(context: Context) -> None:
    """Read the items of the home again."""
    context.require("Overall/Manage")
    context.controller.reload_home()


@register_command("clear-queue", "Clears the build queue.")
async def clear_queue(context: Context) -> None:
    """Cancel every item of the queue."""
    if not context.allows("Overall/Administer"):
        raise Forbidden(context.identity.name, "Overall/Administer")
    for item in context.controller.queue.waiting:
        context.controller.queue.cancel(item)
