"""`destroy`: takes an environment down; its data stays unless the command says otherwise."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.context import Context


def destroy(options: argparse.Namespace) -> int:
    """Delete the stacks, then list what is left."""
    from bootstrap import launch as play
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed, open_environment
    from bootstrap.remote import toolkit_repository
    from bootstrap.views import leftovers

    if _report_if_never_launched(options):
        return DONE
    with open_environment(options, check=_check, changes=True) as (opened, run):
        with_data, name = options.delete_data is not None, opened.settings.name
        if not with_data and opened.stacks and not is_agreed(options, f"Destroy '{name}'?"):
            return FAILED
        kept = play.destroy(opened, run, with_data=with_data)
        for resource in kept:
            run.say(f"kept: {resource}")
        if kept:
            run.say(f"'{name}' is destroyed; its data is kept for the next launch")
        else:
            run.say("the environment is destroyed" if run.changes else f"nothing to destroy: '{name}' has no stack")
        toolkit_repository.forget(opened.state)
        leftovers.report_leftovers(opened, run)
        if with_data:
            opened.close()
            _forget_cloud(opened)
    return DONE


def _report_if_never_launched(options: argparse.Namespace) -> bool:
    """Whether the environment was never launched in the local cloud of this checkout; then it says so."""
    from bootstrap import context
    from bootstrap.environment import settings
    from bootstrap.local.cloud import LocalCloud, is_elsewhere
    from bootstrap.runs import state_folder, terminal

    path = context.find_named_file(options.environment)
    chosen = settings.load(path)
    if is_elsewhere(chosen.name, context.PROJECT / ".bootstrap") or chosen.cloud != "local":
        return False
    state_folder.require_access(context.PROJECT / ".bootstrap", chosen.name)
    cloud = LocalCloud(chosen, context.PROJECT / ".bootstrap" / chosen.name / "cloud")
    if cloud.port is not None:
        return False
    with context.Context(path, chosen) as unopened:
        _check(options, unopened)
    cloud.forget()  # of a launch that was killed before it made anything
    terminal.write(f"nothing to destroy: '{chosen.name}' was not launched from this checkout\n")
    return True


def _forget_cloud(opened: Context) -> None:
    """After the data is deleted, nothing of a local cloud is worth keeping: delete its server and its folder."""
    if opened.settings.cloud == "local" and not opened.world.is_on_machine:
        from bootstrap.local.cloud import LocalCloud
        from bootstrap.local.machines import Machines

        cloud = LocalCloud(opened.settings, opened.state / "cloud")
        cloud.stop()
        Machines(opened.settings.name, cloud.state).remove_all(with_volumes=True)
        cloud.forget()


def _check(options: argparse.Namespace, context: Context) -> None:
    from bootstrap.cli.checks import check_protection
    from bootstrap.errors import UsageError

    check_protection(options, context)
    name = context.settings.name
    if options.delete_data is not None and options.delete_data != name:
        found = f"'{options.delete_data}' is not the environment's name"
        raise UsageError("deleting the data", found, f"Write --delete-data {name} to confirm.")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delete-data",
        metavar="ENVIRONMENT",
        help="also delete the data volume and the secrets; repeat the environment's name to confirm",
    )
    parser.add_argument("--unprotect", action="store_true", help="also when the environment file says 'protect: true'")


COMMANDS = (
    Command(
        "destroy",
        180,
        "destroy the environment; the data stays unless --delete-data is given",
        destroy,
        (
            ("destroy", "the data volume, keys and secrets are retained"),
            ("destroy --delete-data local", "they are deleted, too; the name confirms it"),
        ),
        _add_arguments,
    ),
)
