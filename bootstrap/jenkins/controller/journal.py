"""Reads the exception behind an error page or a failed reload from the service's journal; the response does not have it."""

from __future__ import annotations

import re
from collections.abc import Callable

from bootstrap.errors import BootstrapError
from bootstrap.remote.converge import causes
from bootstrap.values import Shell

Explain = Callable[[str], str]
"""Takes a logging ID; returns its exception in the journal with its causes, or '' if it is not found."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RELOAD = "Failed to reload configuration"
_WIDE = 8000  # characters of a line; the list of all attributes is needed to suggest the right one
# Limited in time and lines: the exception was written a moment ago.
_READ = ("journalctl", "-u", "jenkins.service", "--since", "-10min", "-n", "4000", "--no-pager", "-o", "cat")


def make_explainer(shell: Shell) -> Explain:
    """Return a function that finds exceptions in the journal of the machine behind `shell`."""

    def explain(identifier: str) -> str:
        return causes.find_exception(_read_recent(shell), f"with ID {identifier}") if _ID.fullmatch(identifier) else ""

    return explain


def find_reload_failure(shell: Shell) -> str:
    """The exception of the last failed reload, with its causes; '' if it is not found."""
    return causes.find_exception(_read_recent(shell), _RELOAD, _WIDE)


def format_command(identifier: str) -> str:
    """The command that prints the exception with this logging ID."""
    return f"./bootstrap.py ssh \"sudo journalctl -u jenkins -o cat | grep -F -A 30 'with ID {identifier}'\""


def _read_recent(shell: Shell) -> str:
    """The last lines of the journal; '' if it cannot be read, so that the refusal itself is still reported."""
    try:
        return shell.run(list(_READ), sudo=True, check=False, timeout=30).stdout
    except BootstrapError:
        return ""
