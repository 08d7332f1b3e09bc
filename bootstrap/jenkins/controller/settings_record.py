"""The settings of Jenkins on the machine: the files, and the record of the last reload.

The record contains the settings that Jenkins exported after the last reload. A difference between it and a new export is an
edit in the web interface. Shell scripts read and write the files, in one round trip each. Only this module contains the paths
of the record.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bootstrap.cloud.jobs_place import MACHINE_FILE
from bootstrap.jenkins.controller import edits
from bootstrap.remote.desired.jenkins import REMOVED_SECRETS
from bootstrap.remote.desired.people import PASSWORDS
from bootstrap.values import Change, ChangeKind, Reporter, Shell

FOLDER = "/etc/jenkins/casc.d"
# _RECORD: the digest of the export after the last reload, and the digest of the file with the versions of the software.
# _EXPORTED: that export, in which the edits that the reload kept have their values from before the edit.
_RECORD = "/etc/jenkins/casc.applied"
_EXPORTED = "/etc/jenkins/casc.exported"
# The digest of the hashes of people's passwords, as Jenkins read them at the last reload. A job cannot read the hashes.
_READ_PASSWORDS = f"{PASSWORDS}.applied"
_UNFINISHED = "unfinished"
_APPLIED, _NEW_PASSWORDS = "/applied", "/passwords"
_DIGEST_PASSWORDS = f"cd {PASSWORDS} 2>/dev/null && sha256sum -- * 2>/dev/null | sha256sum | cut -d ' ' -f 1"

_LOOK = f"""
cd {FOLDER} 2>/dev/null && for file in *; do [ -f "$file" ] && sha256sum -- "$file"; done
[ -f {_RECORD} ] && read -r applied software < {_RECORD} &&
  [ "$software" = "$(sha256sum {MACHINE_FILE} | cut -d ' ' -f 1)" ] && printf '%s  /applied\\n' "$applied"
passwords=$({_DIGEST_PASSWORDS}) && [ "$passwords" != "$(cat {_READ_PASSWORDS} 2>/dev/null)" ] &&
  printf '%s  /passwords\\n' "$passwords"
true
"""

# The files are replaced one by one, not the folder: the service can have it mounted. The record is marked as unfinished first,
# so that the next run notices a run that stopped before the reload.
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

# Jenkins has read files that use no removed secret: those names are not needed any more.
_CONFIRM = f"""
set -eu
[ ! -s {REMOVED_SECRETS} ] || : > {REMOVED_SECRETS}
install -m 0640 -g jenkins-agent /dev/stdin {_EXPORTED}
printf '%s %s\\n' "$1" "$(sha256sum {MACHINE_FILE} | cut -d ' ' -f 1)" > {_RECORD}
chmod 0644 {_RECORD}
({_DIGEST_PASSWORDS}) > {_READ_PASSWORDS} || rm -f {_READ_PASSWORDS}
rm -rf {FOLDER}.previous
"""


@dataclass(frozen=True)
class StoredSettings:
    """The SHA-256 digests of the files on the machine by name, and the export after the last reload, or None.

    `digests` also has the digest of the export and, if it is new to Jenkins, that of people's passwords, under names that no
    file has.
    """

    digests: Mapping[str, str]
    exported: str | None

    def find_changes(self, files: Mapping[str, str]) -> tuple[Change, ...]:
        """The changes that make the files on the machine those of the code."""
        return _compare_files(self.digests, files)

    @property
    def is_comparable(self) -> bool:
        """Whether a reload with this software was recorded. Edits can be found only then."""
        return _APPLIED in self.digests

    @property
    def is_recorded(self) -> bool:
        """Whether a reload with this software was recorded, and no change of the files was begun after it."""
        return self.digests.get(_APPLIED, _UNFINISHED) != _UNFINISHED

    @property
    def has_new_passwords(self) -> bool:
        """Whether people have other passwords than at the last reload; False where the hashes cannot be read."""
        return _NEW_PASSWORDS in self.digests

    def find_edits(self, exported: str, files: Mapping[str, str], values: Mapping[str, str]) -> Edits:
        """The edits since the last reload.

        `exported` is what Jenkins exports now, `files` are those of the code, `values` their variables that are not secret.
        """
        if not self.is_comparable:
            return Edits()
        if self.exported is None:
            return Edits(is_unknown=self.digests[_APPLIED] not in {_UNFINISHED, _compute_digest(exported)})
        if self.exported == exported:
            return Edits()
        named = edits.find_edits(self.exported, exported, edits.merge_files(files.values(), values))
        is_other = self.is_recorded and edits.parse_settings(self.exported) != edits.parse_settings(exported)
        return Edits(named, is_unknown=is_other and not named)


@dataclass(frozen=True)
class Edits:
    """Edits in the web interface: `named` are the settings; `is_unknown` is an edit without a name (a secret, an order)."""

    named: tuple[edits.Edit, ...] = ()
    is_unknown: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that a reload would make to the edits."""
        if self.is_unknown:
            return (Change("casc", ChangeKind.ALTER, "settings", "changed outside of the code; put back"),)
        return tuple(edit.change for edit in self.named if edit.is_overwritten)

    @property
    def kept(self) -> tuple[edits.Edit, ...]:
        """The edits that a reload would keep."""
        return tuple(edit for edit in self.named if not edit.is_overwritten)

    def report_kept(self, report: Reporter) -> None:
        """Print a notice for each edit that a reload would keep."""
        for edit in self.kept:
            report.notice(f"{edit.name} was edited in Jenkins: {edit.summary}, because the code does not have it")


QUESTIONS = (("cat", _EXPORTED), ("sh", "-c", _LOOK))
"""The commands of `read_stored_settings` without `sudo`, which the toolkit's jobs use."""


def read_stored_settings(shell: Shell, *, sudo: bool = True) -> StoredSettings:
    """Read the digests and the record from the machine.

    A job on the machine reads them without `sudo`: its user is in the group of the files.
    """
    exported = shell.run(QUESTIONS[0], sudo=sudo, check=False)
    return StoredSettings(_read_digests(shell, sudo=sudo), exported.stdout if exported.exit_code == 0 else None)


def _read_digests(shell: Shell, *, sudo: bool = True) -> dict[str, str]:
    """SHA-256 by file name, and the digest of the record under _APPLIED, a name that no file has."""
    lines = shell.run(QUESTIONS[1], sudo=sudo).stdout.splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def _compare_files(stored: Mapping[str, str], files: Mapping[str, str]) -> tuple[Change, ...]:
    present = {name: digest for name, digest in stored.items() if name not in {_APPLIED, _NEW_PASSWORDS}}
    changes = []
    for name in sorted(present.keys() | files.keys()):
        if name not in files:
            changes.append(Change("casc", ChangeKind.REMOVE, name))
        elif name not in present:
            changes.append(Change("casc", ChangeKind.ADD, name))
        elif present[name] != _compute_digest(files[name]):
            changes.append(Change("casc", ChangeKind.ALTER, name))
    return tuple(changes)


def place_files(shell: Shell, files: Mapping[str, str], changes: Iterable[Change]) -> None:
    """Write the files to the machine and keep the previous files beside them; marks the record as unfinished."""
    removed = [change.name for change in changes if change.kind is ChangeKind.REMOVE]
    _run_script(shell, _PLACE, *removed, stdin=_pack(files))


def put_back(shell: Shell) -> None:
    """Restore the files that `place_files` kept."""
    _run_script(shell, _PUT_BACK)


def confirm(shell: Shell, exported: str, kept: Iterable[edits.Edit], before: str | None) -> None:
    """Record a reload: what Jenkins `exported` after it, the edits that it `kept`, and the record `before` it.

    Removes the previous files.
    """
    recorded = edits.restore_kept_edits(exported, kept, before or "")
    _run_script(shell, _CONFIRM, _compute_digest(exported), stdin=recorded.encode())


def _pack(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _compute_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _run_script(shell: Shell, script: str, *arguments: str, stdin: bytes = b"") -> None:
    shell.run(["sh", "-c", script, "sh", *arguments], stdin=stdin, sudo=True)
