"""`import`: reads another Jenkins, and writes its plugins, settings and jobs as files of this toolkit."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.importing.conversion import Imported

USER, TOKEN = "IMPORT_USER", "IMPORT_TOKEN"


def import_jenkins(options: argparse.Namespace) -> int:
    """Import it; 2 if publishing the written jobs would change a job there."""
    from bootstrap.context import ROOT
    from bootstrap.importing import conversion, writing
    from bootstrap.importing.source import Source
    from bootstrap.projects import folders
    from bootstrap.values import Secret

    into = Path(options.into)
    writing.check_target(into)
    # The URL is judged before anybody is asked for a token.
    Source(options.url, "", Secret(""), ca_file=options.ca_file, allows_http=options.allow_http).close()
    user, token = _read_credentials()
    source = Source(options.url, user, Secret(token), ca_file=options.ca_file, allows_http=options.allow_http)
    try:
        imported = conversion.import_jenkins(source, into, ROOT, folders.PROJECT if folders.is_apart() else None)
    finally:
        source.close()
    _report_import(imported, as_json=options.json)
    return 2 if imported.differing else 0


def _read_credentials() -> tuple[str, str]:
    """User and API token: of the environment, of a person at the terminal, or the first two lines of standard input."""
    import getpass

    from bootstrap.errors import UsageError
    from bootstrap.runs import terminal

    user, token = os.environ.get(USER, ""), os.environ.get(TOKEN, "")
    if not user:
        if sys.stdin.isatty():
            terminal.complain("user: ")
        user = sys.stdin.readline().strip()
    if not token:
        token = getpass.getpass("API token: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not user or not token or ":" in user:
        found = "there is none, or the user contains ':'"
        remedy = f"Set {USER} and {TOKEN}, or write both to standard input, one a line; on a terminal the command asks."
        raise UsageError("reading user and API token", found, remedy)
    return user, token


def _report_import(imported: Imported, *, as_json: bool) -> None:
    from bootstrap.importing import conversion
    from bootstrap.runs import terminal
    from bootstrap.wording import count_noun

    if as_json:
        for plugin in imported.plugins:
            terminal.write_json({"plugin": plugin.name, "version": plugin.version, "enabled": plugin.is_enabled})
        for outcome in imported.outcomes:
            form = "xml" if outcome.is_xml else "job-builder"
            terminal.write_json({"job": outcome.name, "form": form, "difference": outcome.difference or None})
        for secret in imported.secrets:
            terminal.write_json({"secret": secret.variable, "place": secret.place})
        for note in imported.notes:
            terminal.write_json({"kind": note.kind, "name": note.name, "why": note.why, "remedy": note.remedy})
        terminal.write_json(
            {
                "url": imported.url,
                "version": imported.version,
                "into": str(imported.into),
                "files": sorted(imported.files),
            }
        )
        return
    for line in conversion.describe(imported):
        terminal.write(f"{line}\n")
    written = f"{count_noun(len(imported.plugins), 'plugin')}, {count_noun(len(imported.outcomes), 'job')}"
    terminal.write(f"\nwrote {imported.into}: {written}, {len(imported.differing)} with a difference\n")
    terminal.write("the lines above are in its report.txt\n")
    terminal.write("next: docs/import.md says what to do with each file\n")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the Jenkins, for example https://ci.example.org/")
    parser.add_argument("--into", required=True, metavar="DIR", help="the folder for the files: new, or empty")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="the certificates (PEM) of the authority of its certificate"
    )
    parser.add_argument(
        "--allow-http",
        action="store_true",
        help="send the API token without encryption, which others on the way can read",
    )


COMMANDS = (
    Command(
        "import",
        187,
        "read another Jenkins and write its plugins, settings and jobs as files; exits with 2 when a job differs",
        import_jenkins,
        (
            (
                "import https://ci.example.org/ --into ../imported",
                "asks for a user and an API token; changes nothing there",
            ),
            ("import https://ci.example.org/ --into new --json", "as JSON; IMPORT_USER and IMPORT_TOKEN have both"),
        ),
        _add_arguments,
    ),
)
