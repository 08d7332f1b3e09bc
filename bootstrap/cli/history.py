"""The sub-commands that look back: `history`, `report` and `mail`. They ask no cloud unless a resource is named."""

from __future__ import annotations

import argparse
import json
import os
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bootstrap import context
from bootstrap.cli import console
from bootstrap.cli.commands import opened
from bootstrap.cloud import tags
from bootstrap.context import ROOT
from bootstrap.environment import lock, settings
from bootstrap.errors import UsageError
from bootstrap.local import mail as local_mail
from bootstrap.runs import history as runs
from bootstrap.runs import report

_HEADINGS = ("when (UTC)", "command", "outcome", "changes", "seconds", "run")


def history(options: argparse.Namespace) -> int:
    """The environment's last runs, oldest first."""
    state = _state(options)
    holder = lock.holder(state)
    found = runs.history(state / "runs", holder.run if holder else None)
    found = tuple(it for it in found if options.all or it.had_acts)[-options.lines :]
    if options.json:
        for each in found:
            _print(json.dumps(asdict(each), ensure_ascii=False))
        return 0
    rows = [(it.when, it.command, it.outcome, str(it.changes), f"{it.seconds:.1f}", it.run) for it in found]
    console.table(_HEADINGS, rows)
    return 0


def show(options: argparse.Namespace) -> int:
    """The page of a run, named by its beginning or by a resource that it changed; the last with acts by default."""
    if options.run and (":" in options.run or _is_id(options.run)):
        with opened(options) as (made, _):
            options.run = tags.run_of(made.world.aws, made.settings, options.run)
    if options.resources:
        return _resources(options)
    journal = _journal(options)
    page = report.write(journal)
    if options.json:
        for event in runs.events(journal):
            _print(json.dumps(event, ensure_ascii=False))
    elif options.text:
        for line in runs.text(runs.events(journal)):
            _print(line)
    else:
        _print(str(page))
        if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(page.as_uri())
    return 0


def mail(options: argparse.Namespace) -> int:
    """What the environment's machines sent, oldest first, or one message as text; UsageError where it went elsewhere."""
    doing = "reading the mail of the environment's machines"
    chosen = settings.load(context.paths(options.environment))
    if chosen.cloud != "local" or chosen.mail.smtp_host is not None:
        place = f"{chosen.mail.smtp_host or 'localhost'}:{chosen.mail.smtp_port}"
        found = f"'{chosen.name}' sends its mail through {place}; none of it is kept here"
        raise UsageError(
            doing, found, "Look there. The cloud on this machine keeps mail where mail.smtp_host is not set."
        )
    kept = local_mail.kept(ROOT / ".bootstrap" / chosen.name / "cloud" / "mail")
    if options.number is None:
        _list_mail(kept, as_json=options.json)
        return 0
    one = next((it for it in kept if it.number == options.number), None)
    if one is None:
        raise UsageError(doing, f"there is no message {options.number}", "'mail' lists those that are kept.")
    if options.json:
        _print(json.dumps(local_mail.summary(one) | {"text": local_mail.text(one)}, ensure_ascii=False))
    else:
        _print(local_mail.text(one))
    return 0


def _list_mail(kept: Sequence[local_mail.Mail], *, as_json: bool) -> None:
    found = [local_mail.summary(each) for each in kept]
    if as_json:
        for each in found:
            _print(json.dumps(each, ensure_ascii=False))
    elif not found:
        _print("no mail came yet")
    else:
        names = ("number", "when", "to", "subject")
        console.table(("number", "when (UTC)", "to", "subject"), ([str(it[name]) for name in names] for it in found))


def _resources(options: argparse.Namespace) -> int:
    """What carries the run's tag in the cloud."""
    journal = _journal(options)
    with opened(options) as (made, _):
        found = tags.resources(made.world.aws, made.settings, journal.parent.name)
    if options.json:
        for each in found:
            _print(json.dumps({"arn": each.arn, "tags": dict(each.tags)}))
    elif not found:
        _print(f"no resource carries the tag of the run {journal.parent.name}")
    else:
        rows = [(each.kind, each.identity, each.tags.get("Commit", "")[:12]) for each in found]
        console.table(("what", "which", "commit"), rows)
    return 0


def _journal(options: argparse.Namespace) -> Path:
    folder = _state(options) / "runs"
    try:
        return runs.find(folder, options.run)
    except UsageError as error:
        error.remedy += " A run of a job on the machine is among that build's artifacts."
        raise


def _is_id(text: str) -> bool:
    """Whether a text is a resource's id and no run's: a run's name begins with its date."""
    return not text[:1].isdigit()


def _state(options: argparse.Namespace) -> Path:
    return ROOT / ".bootstrap" / settings.load(context.paths(options.environment)).name


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
