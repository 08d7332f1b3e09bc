"""What Jenkins did not answer and wrote into its journal: the exception behind a page or a refused reload."""

from __future__ import annotations

import re
from collections.abc import Callable

from bootstrap.errors import BootstrapError
from bootstrap.remote.converge import causes
from bootstrap.values import Shell

Explain = Callable[[str], str]
"""The exception that the journal has under a logging ID, with its causes; empty where it is not found."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RELOAD = "Failed to reload configuration"
_WIDE = 8000  # letters of a line: a list of all attributes, out of which the one that was meant is told
# Bounded in time and lines: the question is about what happened a moment ago.
_READ = ("journalctl", "-u", "jenkins.service", "--since", "-10min", "-n", "4000", "--no-pager", "-o", "cat")


def explainer(shell: Shell) -> Explain:
    """Looks exceptions up on the machine behind `shell`."""

    def explain(identifier: str) -> str:
        return causes.find_exception(_recent(shell), f"with ID {identifier}") if _ID.fullmatch(identifier) else ""

    return explain


def reload_failure(shell: Shell) -> str:
    """The exception of the reload that failed last, with its causes; empty where it is not found."""
    return causes.find_exception(_recent(shell), _RELOAD, _WIDE)


def command(identifier: str) -> str:
    """What a person runs to see the exception that the journal has under that ID."""
    return f"./bootstrap.py ssh \"sudo journalctl -u jenkins -o cat | grep -F -A 30 'with ID {identifier}'\""


def _recent(shell: Shell) -> str:
    """The journal's last lines; empty where it cannot be read, for that must not hide the refusal that is explained."""
    try:
        return shell.run(list(_READ), sudo=True, check=False, timeout=30).stdout
    except BootstrapError:
        return ""
