"""The settings of a running Jenkins as Configuration as Code exports them, without what is no setting."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect

_LABELS, _ENTRY, _BELOW = "  labelAtoms:", "  - ", "    "


def export(jenkins: JenkinsClient) -> str:
    """The current settings of Jenkins, without what differs between two exports.

    That are comments, ciphertexts, password hashes, and the labels and names of agents that come and go.
    """
    answer = expect(ask(jenkins, "POST", "configuration-as-code/export"), "exporting Jenkins' settings")
    lines = (line.rstrip() for line in answer.text.splitlines())
    text = "\n".join(_leave_out_labels(line for line in lines if line and not line.startswith("#")))
    return re.sub(r"\{AQAA[A-Za-z0-9+/=]*\}|#jbcrypt:[^\s\"']+", "***", text) + "\n"


def _leave_out_labels(lines: Iterable[str]) -> list[str]:
    """The lines of an export without the labels that have nothing but a name.

    Jenkins exports all labels that it knows (jenkins.labelAtoms), and each agent also has its name as a label. Only a label
    with properties is a setting.
    """
    kept: list[str] = []
    labels: list[list[str]] = []
    is_inside = False
    for line in [*lines, ""]:
        if is_inside and line.startswith(_ENTRY):
            labels.append([line])
            continue
        if is_inside and labels and line.startswith(_BELOW):
            labels[-1].append(line)
            continue
        if is_inside:
            settings = [line for label in labels if len(label) > 1 for line in label]
            kept += [_LABELS, *settings] if settings else []
        is_inside = line == _LABELS
        kept += [] if is_inside else [line]
    return kept[:-1]
