"""Drift of Jenkins' settings: the CasC files on the machine, and edits in the web interface, setting by setting.

A reload overwrites the settings that the code has and keeps all others. The remedy of each line says which case it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bootstrap.acts import casc
from bootstrap.jenkins.controller import clouds
from bootstrap.jenkins.controller.api import JenkinsClient
from bootstrap.values import ChangeKind, Shell
from bootstrap.views.drift.values import Drifted


def find_settings_drift(
    shell: Shell,
    jenkins: JenkinsClient,
    files: Mapping[str, str],
    values: Mapping[str, str],
    tool: str,
    *,
    sudo: bool,
    wished_clouds: str = "",
) -> Iterator[Drifted]:
    """Files that differ on the machine, settings that differ from those after the last reload, and clouds.

    `values` are the variables of the files, as `casc.make_variables` returns them; `wished_clouds` is the document of
    `fleets.make_clouds`.
    """
    actual = casc.read_stored_settings(shell, sudo=sudo)
    for change in actual.find_changes(files):
        verb = {ChangeKind.ADD: "is missing", ChangeKind.REMOVE: "is not in the code"}.get(change.kind, "differs")
        yield Drifted("casc", f"{casc.FOLDER}/{change.name}", verb, f"{tool} casc apply")
    exported = casc.export(jenkins)
    edited = casc.find_edits(actual, exported, files, values, wished_clouds)
    if edited.is_unknown:
        yield Drifted("casc", "settings", "changed outside of the code", f"{tool} casc apply")
    for edit in edited.named:
        remedy = f"{tool} casc apply" if edit.is_overwritten else "add it to casc/, or undo it in Jenkins"
        yield Drifted("casc", edit.name, edit.summary, remedy, edit.diff)
    for change in clouds.find_changes(exported, wished_clouds):
        verb = {ChangeKind.ADD: "is missing", ChangeKind.REMOVE: "is not in the code"}.get(change.kind, change.detail)
        yield Drifted("casc", change.name, verb, f"{tool} casc apply", change.diff)
