"""`image`: shows the image (AMI) of the machine, or replaces the machine by one of a newer image."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command, add_now

if TYPE_CHECKING:
    from bootstrap.context import Context
    from bootstrap.runs.journal import Run


def image(options: argparse.Namespace) -> int:
    """Show the images, or upgrade; UsageError for options without what they belong to."""
    from bootstrap.errors import UsageError

    if options.foreign_owner and not options.to:
        fault = "--foreign-owner is the owner of the image that --to names, and there is no --to"
        raise UsageError("reading the command line", fault, "Write: image upgrade --to AMI --foreign-owner ACCOUNT")
    if options.action == "upgrade":
        return _upgrade(options)
    if options.to or options.now:
        fault = "--to and --now are for 'image upgrade', and this is 'image show'"
        raise UsageError("reading the command line", fault, "Write: image upgrade")
    return _show(options)


def _show(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from bootstrap.cli import console
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.views import machine_image

    with open_environment(options) as (opened, run):
        choice = machine_image.read_machine_image(opened)
        images = {"pinned": choice.pinned, "newest": choice.newest}
        if options.json:
            run.event("images", **{name: asdict(each) if each else None for name, each in images.items()})
            return DONE
        rows = [(name, each.id, each.name, each.published) for name, each in images.items() if each]
        console.print_table(("which", "image", "name", "published"), rows)
        if choice.newest is None:
            run.say(f"\nthe newest image is not known: {choice.unknown}")
        elif choice.pinned is None:
            run.say("\nnothing was launched yet: a launch pins the newest image")
        elif not choice.pinned.is_available:
            run.say(f"\nthe pinned image is no longer available: '{opened.tool} image upgrade' takes the newest")
        elif not choice.is_newest:
            run.say(f"\n'{opened.tool} image upgrade' takes the newest, and replaces the machine; the data stays")
    return DONE


def _upgrade(options: argparse.Namespace) -> int:
    """Show what a launch with the other image would change, ask, and launch."""
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed, open_environment
    from bootstrap.cli.launch_ending import carry_out
    from bootstrap.planning import look
    from bootstrap.preconditions import image_choice
    from bootstrap.runs.journal import Journal, Run

    with open_environment(options, check=_check, prepare=_prepare, brings_up=True, changes=True) as (opened, run):
        image_choice.await_rest(opened, run)
        opened.chosen_image = _choose(opened, options.to, options.foreign_owner)
        # What is only planned is no change of this run.
        planned = Run(run.run_id, Journal(run.folder / "plan"), as_json=options.json, is_verbose=options.verbose)
        if not look.plan(opened, planned):
            run.say(f"\nnothing to do: {opened.chosen_image} is the image of the machine")
            return DONE
        source = f" with an image of the account {options.foreign_owner}" if options.foreign_owner else ""
        if not is_agreed(options, f"Make these changes of '{opened.settings.name}'{source}?"):
            return FAILED
        opened.forget()
        return carry_out(opened, run, options)


def _choose(opened: Context, wanted: str | None, foreign_owner: str | None) -> str:
    """The id of the image to take.

    StackMissing if there is no machine yet, ImageMissing if there is no such image, ImageUnfit if it cannot be taken.
    """
    from bootstrap.cloud import images
    from bootstrap.errors import StackMissing
    from bootstrap.preconditions import image_choice
    from bootstrap.views import machine_image

    name = opened.settings.name
    if machine_image.find_pinned(opened.stacks) is None:
        remedy = f"Run: {opened.tool} launch. It takes the newest image."
        raise StackMissing(f"looking for the image of '{name}'", "nothing was launched yet", remedy)
    if wanted:
        image_choice.check_other(opened, wanted, foreign_owner)
        return wanted
    newest = images.read_newest(opened.world.aws)
    image_choice.check(opened, newest)
    return newest


def _check(_: argparse.Namespace, context: Context) -> None:
    from bootstrap import launch as play

    play.check(context)


def _prepare(_: argparse.Namespace, context: Context, run: Run) -> None:
    from bootstrap.preconditions import jenkins_files

    jenkins_files.prepare(context, run, loads=True)


def _parse_image(text: str) -> str:
    import re

    if not re.fullmatch(r"ami-[0-9a-f]{8,17}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not the id of an image, like ami-0123456789abcdef0")
    return text


def _parse_account(text: str) -> str:
    import re

    if not re.fullmatch(r"[0-9]{12}", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not the id of an account, 12 digits")
    return text


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "upgrade"),
        default="show",
        help="show: the pinned image and the newest one; upgrade: replace the machine by one of the newest (default: show)",
    )
    parser.add_argument(
        "--to", type=_parse_image, metavar="AMI", help="with upgrade: this image instead of the newest one"
    )
    parser.add_argument(
        "--foreign-owner",
        type=_parse_account,
        metavar="ACCOUNT",
        help="with --to: the image may be of this account, which is not that of Debian's images",
    )
    parser.add_argument("--skip-verify", action="store_true", help="with upgrade: skip the act verify")
    add_now(parser)


COMMANDS = (
    Command(
        "image",
        42,
        "show the image (AMI) of the machine, or replace the machine by one of the newest image",
        image,
        (
            ("image show", "the pinned image and the newest one, with their dates"),
            ("image upgrade", "show what the newest image replaces, ask, then launch with it"),
            ("image upgrade --to ami-0123456789abcdef0", "the same with another image, for example the one before"),
        ),
        _add_arguments,
    ),
)
