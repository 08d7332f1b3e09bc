"""Lets a running Jenkins check settings files before they are put on its machine.

Some values are not sent, because Jenkins' check would apply them (`definitions.casc_blanking`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import requests

from bootstrap.errors import BootstrapError, CascRejected, Fault
from bootstrap.jenkins.controller import casc_faults, journal, provided_variables
from bootstrap.jenkins.controller.api import JenkinsClient, ask, explain_refusal
from bootstrap.jenkins.controller.console_text import clean
from bootstrap.jenkins.definitions import casc as definitions
from bootstrap.jenkins.definitions import casc_blanking
from bootstrap.values import Change, ChangeKind, Shell


def list_files_to_send(changes: Iterable[Change], files: Mapping[str, str]) -> dict[str, str]:
    """The changed files without the values that Jenkins' check would apply; `read` has checked these values already."""
    changed = (change.name for change in changes if change.kind is not ChangeKind.REMOVE)
    blanked = {name: casc_blanking.blank_applied_parts(files[name]) for name in changed}
    return {name: text for name, text in blanked.items() if text is not None}


def require_variables(shell: Shell, files: Mapping[str, str]) -> None:
    """BootstrapError if files have variables that the running Jenkins lacks."""
    missing = provided_variables.find_missing(shell, files)
    if missing:
        uses = "; ".join(f"casc/{name} uses {', '.join(names)}" for name, names in missing.items())
        raise BootstrapError(
            "checking the settings with Jenkins",
            f"the running Jenkins does not have these variables yet: {uses}",
            "Run './bootstrap.py launch', or './bootstrap.py host apply' first: it restarts Jenkins with them.",
        )


def check(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    """Let Jenkins check each file; CascRejected with its faults. Jenkins reports the first fault of a file, with its place."""
    faults: list[Fault] = []
    for name, text in files.items():
        answer = ask(jenkins, "POST", "configuration-as-code/check", body=text, content_type="application/x-yaml")
        for complaint in _list_complaints(answer, journal.make_explainer(shell)):
            message = clean(str(complaint.get("message") or "")) or explain_refusal(answer)
            line, column = definitions.find_position(text, int(complaint.get("line", -1)))
            fault = casc_faults.parse_fault(message, files, checked=name)
            faults.append(fault if line == 1 else replace(fault, line=line, column=column))
    if faults:
        raise CascRejected(
            "checking the settings with Jenkins", faults, "Correct the file; Jenkins keeps its current settings."
        )


def _list_complaints(answer: requests.Response, explain: journal.Explain) -> list[dict[str, Any]]:
    """The faults in the answer of a check; an answer of another form counts as one fault."""
    try:
        complaints = answer.json() if answer.status_code in {200, 400} else None
    except ValueError:
        complaints = None
    if isinstance(complaints, list) and all(isinstance(entry, dict) for entry in complaints):
        return complaints
    return [{"line": -1, "message": explain_refusal(answer, explain)}]
