"""What lies on the machine of Jenkins' settings: the files, and the record of the last reload.

The record is the settings as Jenkins exported them then. What differs from it now was edited in the web interface. Shell
scripts read and write the files, in one round trip each. Only this module contains the paths of the record.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bootstrap.cloud.world import MACHINE_FILE
from bootstrap.jenkins.controller import edits
from bootstrap.values import Change, ChangeKind, Reporter, Shell

FOLDER = "/etc/jenkins/casc.d"
# The digest of the settings as Jenkins exported them after the last reload, with that of the file that names the software, and
# that export itself, in which what the reload left is as it was before it was edited.
_RECORD = "/etc/jenkins/casc.applied"
_EXPORTED = "/etc/jenkins/casc.exported"
_UNFINISHED = "unfinished"
_APPLIED = "/applied"

_LOOK = f"""
cd {FOLDER} 2>/dev/null && for file in *; do [ -f "$file" ] && sha256sum -- "$file"; done
[ -f {_RECORD} ] && read -r applied software < {_RECORD} &&
  [ "$software" = "$(sha256sum {MACHINE_FILE} | cut -d ' ' -f 1)" ] && printf '%s  /applied\\n' "$applied"
true
"""

# File by file into the same folder, never the folder itself: the service may hold it by a mount. By its record a run that
# ends between here and the reload is found by the next one.
_PLACE = f"""
set -eu
rm -rf {FOLDER}.next {FOLDER}.previous
[ ! -f {_RECORD} ] || sed -i 's/^[^ ]*/{_UNFINISHED}/' {_RECORD}
mkdir -p {FOLDER}
mkdir -m 0700 {FOLDER}.next
tar -x -f - -C {FOLDER}.next
cp -a {FOLDER} {FOLDER}.previous
chown root:root {FOLDER} {FOLDER}.next/*
chmod 0755 {FOLDER}
chmod 0644 {FOLDER}.next/*
mv -f {FOLDER}.next/* {FOLDER}/
rmdir {FOLDER}.next
for name in "$@"; do rm -f -- "{FOLDER}/$name"; done
"""

_PUT_BACK = f"set -eu; rm -f {FOLDER}/*; cp -a {FOLDER}.previous/. {FOLDER}/; rm -rf {FOLDER}.previous"

_CONFIRM = f"""
set -eu
install -m 0640 -g jenkins-agent /dev/stdin {_EXPORTED}
printf '%s %s\\n' "$1" "$(sha256sum {MACHINE_FILE} | cut -d ' ' -f 1)" > {_RECORD}
chmod 0644 {_RECORD}
rm -rf {FOLDER}.previous
"""


@dataclass(frozen=True)
class StoredSettings:
    """What lies on the machine: the files' digests, and the settings as exported after the last reload, where they are kept."""

    digests: Mapping[str, str]
    exported: str | None

    def changes(self, files: Mapping[str, str]) -> tuple[Change, ...]:
        """How the files on the machine differ from those of the code."""
        return _compare_files(self.digests, files)

    @property
    def is_comparable(self) -> bool:
        """Whether a reload by this software was ever recorded: only then can an export tell an edit."""
        return _APPLIED in self.digests

    @property
    def is_recorded(self) -> bool:
        """Whether a reload by this software was recorded, and no change of the files has begun since."""
        return self.digests.get(_APPLIED, _UNFINISHED) != _UNFINISHED

    def edits(self, exported: str, files: Mapping[str, str], values: Mapping[str, str]) -> Edits:
        """What was edited since the last reload; `files` are the code's, `values` their variables that are no secrets."""
        if not self.is_comparable:
            return Edits()
        if self.exported is None:
            return Edits(is_unknown=self.digests[_APPLIED] not in {_UNFINISHED, _digest(exported)})
        if self.exported == exported:
            return Edits()
        told = edits.find(self.exported, exported, edits.wished(files.values(), values))
        is_other = self.is_recorded and edits.parsed(self.exported) != edits.parsed(exported)
        return Edits(told, is_unknown=is_other and not told)


@dataclass(frozen=True)
class Edits:
    """Edits in the web interface; `is_unknown` says that something was edited which no line tells: a secret, an order."""

    told: tuple[edits.Edit, ...] = ()
    is_unknown: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """What a reload would overwrite."""
        if self.is_unknown:
            return (Change("casc", ChangeKind.ALTER, "settings", "changed outside of the code; put back"),)
        return tuple(edit.change for edit in self.told if edit.is_overwritten)

    @property
    def left(self) -> tuple[edits.Edit, ...]:
        """What a reload would leave."""
        return tuple(edit for edit in self.told if not edit.is_overwritten)

    def tell_left(self, report: Reporter) -> None:
        """Say what a reload would leave."""
        for edit in self.left:
            report.notice(f"{edit.name} was edited in Jenkins: {edit.found}, because the code does not have it")


def look(shell: Shell, *, sudo: bool = True) -> StoredSettings:
    """What lies on the machine; a job there reads it without `sudo`, as one of the group jenkins."""
    told = shell.run(["cat", _EXPORTED], sudo=sudo, check=False)
    return StoredSettings(_look(shell, sudo=sudo), told.stdout if told.exit_code == 0 else None)


def _look(shell: Shell, *, sudo: bool = True) -> dict[str, str]:
    """What lies on the machine: file name to SHA-256, and the record of the last reload under a name that no file has."""
    lines = shell.run(["sh", "-c", _LOOK], sudo=sudo).stdout.splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def _compare_files(stored: Mapping[str, str], files: Mapping[str, str]) -> tuple[Change, ...]:
    present = {name: digest for name, digest in stored.items() if name != _APPLIED}
    changes = []
    for name in sorted(present.keys() | files.keys()):
        if name not in files:
            changes.append(Change("casc", ChangeKind.REMOVE, name))
        elif name not in present:
            changes.append(Change("casc", ChangeKind.ADD, name))
        elif present[name] != _digest(files[name]):
            changes.append(Change("casc", ChangeKind.ALTER, name))
    return tuple(changes)


def place(shell: Shell, files: Mapping[str, str], changes: Iterable[Change]) -> None:
    """Put the files there, with those before them beside; from now on there is no record of a reload."""
    removed = [change.name for change in changes if change.kind is ChangeKind.REMOVE]
    _run_script(shell, _PLACE, *removed, stdin=_pack(files))


def put_back(shell: Shell) -> None:
    """The files that were there before the last ones were placed."""
    _run_script(shell, _PUT_BACK)


def confirm(shell: Shell, exported: str, left: Iterable[edits.Edit], before: str | None) -> None:
    """Record a reload after which Jenkins exports this; `left` is what it left, `before` the record until now."""
    kept = edits.without(exported, left, before or "")
    _run_script(shell, _CONFIRM, _digest(exported), stdin=kept.encode())


def _pack(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _run_script(shell: Shell, script: str, *arguments: str, stdin: bytes = b"") -> None:
    shell.run(["sh", "-c", script, "sh", *arguments], stdin=stdin, sudo=True)
