"""The casc act: Jenkins' settings are what the files in `casc/` say.

Jenkins itself judges the files before any of them lies on the machine, so a refused file leaves the old settings running and
the old files for the next start. The old files stay beside the new ones until the reload succeeded, and are put back where it
did not. The settings that Jenkins exports are compared with those exported after the last reload: what somebody edited in the
web interface is found, told setting by setting beside what the code says, and undone where a reload overwrites it. What a
reload would leave is told and left; that alone is no reason for a reload, and a reload does not make it ours: it stays told
until the code says it, or somebody undoes it. Other software has other defaults, so with it the comparison begins anew.

The files lie in one folder of the machine; the host act puts them there once, for the first start, and never again.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bootstrap.controller import edits
from bootstrap.controller.api import JenkinsClient, ask, expect, page_text, reason
from bootstrap.definitions import casc as definitions
from bootstrap.errors import BootstrapError, CascRejected, Fault, Unreachable
from bootstrap.settings import Settings
from bootstrap.values import Change, ChangeKind, Controller, Reporter, Shell
from bootstrap.world import MACHINE_FILE

SECRETS = ("ADMIN_PASSWORD", "TOOLKIT_PASSWORD", "TOOLKIT_TOKEN")
"""The files under /etc/jenkins/credentials that `${NAME}` may use."""

VARIABLES = (
    "BOOTSTRAP_ENVIRONMENT",
    "BOOTSTRAP_NETWORKS",
    "JENKINS_ADMIN_ADDRESS",
    "JENKINS_EXECUTORS",
    "JENKINS_PUBLIC_URL",
    "MAIL_REPLY_TO",
    "SMTP_HOST",
    "SMTP_PORT",
)
"""The environment variables of jenkins.service that `${NAME}` may use; `variables` gives their values."""

FOLDER = "/etc/jenkins/casc.d"
# The digest of the settings as Jenkins exported them after the last reload, with that of the file that names the software, and
# that export itself, in which what the reload left is as it was before it was edited.
_RECORD = "/etc/jenkins/casc.applied"
_EXPORTED = "/etc/jenkins/casc.exported"
_UNFINISHED = "unfinished"

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
chown root:jenkins {FOLDER} {FOLDER}.next/*
chmod 0750 {FOLDER}
chmod 0640 {FOLDER}.next/*
mv -f {FOLDER}.next/* {FOLDER}/
rmdir {FOLDER}.next
for name in "$@"; do rm -f -- "{FOLDER}/$name"; done
"""

_PUT_BACK = f"set -eu; rm -f {FOLDER}/*; cp -a {FOLDER}.previous/. {FOLDER}/; rm -rf {FOLDER}.previous"

_CONFIRM = f"""
set -eu
install -m 0640 -g jenkins /dev/stdin {_EXPORTED}
printf '%s %s\\n' "$1" "$(sha256sum {MACHINE_FILE} | cut -d ' ' -f 1)" > {_RECORD}
chmod 0644 {_RECORD}
rm -rf {FOLDER}.previous
"""


@dataclass(frozen=True)
class There:
    """What lies on the machine: the files' digests, and the settings as exported after the last reload, where they are kept."""

    digests: Mapping[str, str]
    exported: str | None

    def changes(self, files: Mapping[str, str]) -> tuple[Change, ...]:
        """How the files on the machine differ from those of the code."""
        return _differences(self.digests, files)

    @property
    def is_recorded(self) -> bool:
        """Whether a reload by this software was recorded, and no change of the files has begun since."""
        return self.digests.get(_APPLIED, _UNFINISHED) != _UNFINISHED

    def edits(self, exported: str, files: Mapping[str, str], values: Mapping[str, str]) -> Edits:
        """What was edited since the last reload; `files` are the code's, `values` their variables that are no secrets."""
        if _APPLIED not in self.digests:
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
            report.notice(f"{edit.name} was edited in Jenkins: {edit.found}, for the code does not say it")


def variables(settings: Settings, url: str) -> dict[str, str]:
    """What jenkins.service must have in its environment for the files: the values of `VARIABLES`."""
    return {
        "BOOTSTRAP_ENVIRONMENT": settings.name,
        "BOOTSTRAP_NETWORKS": " ".join(settings.networks),
        "JENKINS_ADMIN_ADDRESS": settings.jenkins.admin_address,
        "JENKINS_EXECUTORS": str(settings.jenkins.executors),
        "JENKINS_PUBLIC_URL": url,
        "MAIL_REPLY_TO": settings.mail.reply_to,
        "SMTP_HOST": settings.mail.smtp_host,
        "SMTP_PORT": str(settings.mail.smtp_port),
    }


def read(folder: Path) -> dict[str, str]:
    """The settings' files, name to text; CascRejected with every fault that needs no Jenkins to be seen."""
    return definitions.read(folder, (*SECRETS, *VARIABLES))


def look(shell: Shell, *, sudo: bool = True) -> There:
    """What lies on the machine; a job there reads it without `sudo`, as one of the group jenkins."""
    told = shell.run(["cat", _EXPORTED], sudo=sudo, check=False)
    return There(_look(shell, sudo=sudo), told.stdout if told.exit_code == 0 else None)


def plan(
    shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str], values: Mapping[str, str], report: Reporter
) -> tuple[Change, ...]:
    """What `apply` would change; reads only. Differing files are judged by Jenkins: CascRejected.

    `values` are the files' variables, as `variables` gives them. What a reload would leave is told to `report`.
    """
    there = look(shell)
    changes = there.changes(files)
    _check(jenkins, _to_send(changes, files))
    edited = there.edits(export(jenkins), files, values)
    edited.tell_left(report)
    return (*changes, *edited.changes)


def apply(
    shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str], values: Mapping[str, str], report: Reporter
) -> None:
    """Make the settings what `files` say, or raise CascRejected with the settings as they were."""
    there = look(shell)
    changes = there.changes(files)
    if changes:
        _check(jenkins, _to_send(changes, files))
    edited = there.edits(export(jenkins), files, values) if _APPLIED in there.digests else Edits()
    edited.tell_left(report)
    if not changes and not there.is_recorded:
        report.progress("the settings have no record of a reload with this software; reloading")
    if changes:
        _place(shell, files, changes)
        _reload_or_put_back(shell, jenkins)
    elif edited.changes or not there.is_recorded:
        _reload(jenkins)
    else:
        return
    for change in (*changes, *edited.changes):
        report.change(change)
    exported = export(jenkins)
    kept = edits.without(exported, edited.left, there.exported or "")
    _sh(shell, _CONFIRM, _digest(exported), stdin=kept.encode())


def export(jenkins: JenkinsClient) -> str:
    """The settings as Jenkins has them, without what differs from one export to the next: comments and ciphertexts."""
    answer = expect(ask(jenkins, "POST", "configuration-as-code/export"), "exporting Jenkins' settings")
    lines = (line.rstrip() for line in answer.text.splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return re.sub(r"\{AQAA[A-Za-z0-9+/=]*\}|#jbcrypt:[^\s\"']+", "***", text) + "\n"


def ensure_token(url: str, controller: Controller) -> bool:
    """Make the controller's token ('11' and 32 hexadecimal digits) one of its user at `url`; True if it was not one yet.

    Jenkins takes a token of our own making from its user alone, signed in with the password and a crumb. Older tokens of the
    user are revoked: it has one client. Raises BootstrapError where Jenkins refuses, Unreachable where it does not answer.
    """
    doing = f"giving the user '{controller.user}' its API token"
    try:
        return _ensured_token(url if url.endswith("/") else f"{url}/", controller, doing)
    except requests.RequestException as error:
        remedy = "See that jenkins.service runs on the machine ('./bootstrap.py logs'), then launch again."
        raise Unreachable(doing, str(error), remedy) from error


def _ensured_token(base: str, controller: Controller, doing: str) -> bool:
    user, password, token = controller.user, controller.password, controller.token
    if requests.get(f"{base}me/api/json", auth=(user, token.reveal()), timeout=30).status_code == 200:
        return False
    with requests.Session() as session:
        session.auth = (user, password.reveal())
        crumb = expect(session.get(f"{base}crumbIssuer/api/json", timeout=30), doing).json()
        session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        tokens = f"{base}user/{user}/descriptorByName/jenkins.security.ApiTokenProperty/"
        form = {"newTokenName": "bootstrap", "newTokenPlainValue": token.reveal()}
        added = expect(session.post(f"{tokens}addFixedToken", data=form, timeout=30), doing).json()
        uuid = added.get("data", {}).get("tokenUuid", "")
        if added.get("status") != "ok" or not uuid:
            raise BootstrapError(doing, f"Jenkins answered {added}", "See the controller's log: journalctl -u jenkins")
        # An older Jenkins lacks this one (404); there the other tokens stay.
        expect(session.post(f"{tokens}revokeAllExcept", data={"tokenUuid": uuid}, timeout=30), doing, 200, 404)
    return True


_APPLIED = "/applied"


def _look(shell: Shell, *, sudo: bool = True) -> dict[str, str]:
    """What lies on the machine: file name to SHA-256, and the record of the last reload under a name that no file has."""
    lines = shell.run(["sh", "-c", _LOOK], sudo=sudo).stdout.splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def _differences(there: Mapping[str, str], files: Mapping[str, str]) -> tuple[Change, ...]:
    present = {name: digest for name, digest in there.items() if name != _APPLIED}
    changes = []
    for name in sorted(present.keys() | files.keys()):
        if name not in files:
            changes.append(Change("casc", ChangeKind.REMOVE, name))
        elif name not in present:
            changes.append(Change("casc", ChangeKind.ADD, name))
        elif present[name] != _digest(files[name]):
            changes.append(Change("casc", ChangeKind.ALTER, name))
    return tuple(changes)


def _to_send(changes: Iterable[Change], files: Mapping[str, str]) -> dict[str, str]:
    return {change.name: files[change.name] for change in changes if change.kind is not ChangeKind.REMOVE}


def _check(jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    """Let Jenkins try each file; it tells every fault with its line, and changes nothing."""
    faults: list[Fault] = []
    for name, text in files.items():
        answer = ask(jenkins, "POST", "configuration-as-code/check", body=text, content_type="application/x-yaml")
        if answer.status_code not in {200, 400}:
            faults.append(Fault(f"casc/{name}", 1, 1, reason(answer)))
            continue
        for found in _found(answer):
            line, column = definitions.position(text, int(found.get("line", -1)))
            faults.append(Fault(f"casc/{name}", line, column, str(found.get("message", "")).strip()))
    if faults:
        raise CascRejected(
            "checking the settings with Jenkins", faults, "Mend the file; Jenkins goes on with the settings it has."
        )


def _found(answer: requests.Response) -> list[dict[str, Any]]:
    """The faults that a check answers with; an answer of another shape is itself the fault."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if isinstance(found, list) and all(isinstance(each, dict) for each in found):
        return found
    return [{"line": -1, "message": reason(answer)}]


def _place(shell: Shell, files: Mapping[str, str], changes: Iterable[Change]) -> None:
    removed = [change.name for change in changes if change.kind is ChangeKind.REMOVE]
    _sh(shell, _PLACE, *removed, stdin=_archive(files))


def _archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _reload_or_put_back(shell: Shell, jenkins: JenkinsClient) -> None:
    try:
        _reload(jenkins)
    except BootstrapError:
        _sh(shell, _PUT_BACK)
        # Jenkins tries the whole tree before it touches anything, but what fails later leaves half of it.
        _reload(jenkins)
        raise


def _reload(jenkins: JenkinsClient) -> None:
    """Have Jenkins read its files again. Success is a redirect; an error page comes with the status 200."""
    answer = ask(jenkins, "POST", "configuration-as-code/reload")
    first = answer.history[0] if answer.history else answer
    if first.status_code in {302, 303}:
        return
    said = page_text(answer.text) if answer.status_code == 200 else reason(answer)
    fault = Fault(FOLDER, 1, 1, "\n".join(said.splitlines()[:10]) or "Jenkins refused to reload, and does not say why")
    named = re.search(rf"{re.escape(FOLDER)}/([\w.-]+\.ya?ml)(?:\D{{0,12}}(\d+))?", said)
    if named:
        fault = Fault(f"casc/{named[1]}", int(named[2] or 1), 1, fault.message)
    raise CascRejected(
        "reloading Jenkins' settings", [fault], "The files before it were put back; mend the new ones and try again."
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sh(shell: Shell, script: str, *arguments: str, stdin: bytes = b"") -> None:
    shell.run(["sh", "-c", script, "sh", *arguments], stdin=stdin, sudo=True)
