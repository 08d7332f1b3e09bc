"""`mail`: show the mail that the machines of a local environment sent."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.local.mail import Mail


def mail(options: argparse.Namespace) -> int:
    """The list, oldest first, or one message as text; UsageError when the mail goes to another server."""
    from bootstrap import context
    from bootstrap.environment import settings
    from bootstrap.errors import UsageError
    from bootstrap.local import mail as local_mail
    from bootstrap.runs import state_folder, terminal

    doing = "reading the mail of the environment's machines"
    chosen = settings.load(context.find_named_file(options.environment))
    if not chosen.is_mail_kept:
        place = f"{chosen.mail.smtp_host or 'localhost'}:{chosen.mail_port}"
        found = f"'{chosen.name}' sends its mail through {place}; the local cloud does not keep it"
        remedy = "Read it there. The local cloud keeps mail only when mail.smtp_host is not set."
        raise UsageError(doing, found, remedy)
    state_folder.require_access(context.PROJECT / ".bootstrap", chosen.name)
    messages = local_mail.list_kept(context.PROJECT / ".bootstrap" / chosen.name / "cloud" / "mail")
    if options.number is None:
        _list(messages, as_json=options.json)
        return 0
    message = next((each for each in messages if each.number == options.number), None)
    if message is None:
        raise UsageError(doing, f"there is no message {options.number}", "'mail' lists the messages.")
    if options.json:
        content = local_mail.summarize(message) | {"text": local_mail.format_text(message)}
        terminal.write_json(content)
    else:
        terminal.write(f"{local_mail.format_text(message)}\n")
    return 0


def _list(messages: Sequence[Mail], *, as_json: bool) -> None:
    from bootstrap.cli import console
    from bootstrap.local import mail as local_mail
    from bootstrap.runs import terminal

    summaries = [local_mail.summarize(each) for each in messages]
    if as_json:
        for each in summaries:
            terminal.write_json(each)
    elif not summaries:
        terminal.write("no mail yet\n")
    else:
        names = ("number", "when", "to", "subject")
        rows = ([str(each[name]) for name in names] for each in summaries)
        console.print_table(("number", "when (UTC)", "to", "subject"), rows)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "number", nargs="?", type=int, metavar="NUMBER", help="the message to show; without it, the list"
    )


COMMANDS = (
    Command(
        "mail",
        150,
        "show the mail that the machines of a local environment sent",
        mail,
        (
            ("mail", "the list"),
            ("mail 3", "the third message"),
        ),
        _add_arguments,
    ),
)
