"""The casc act: Jenkins' settings are what the files in `casc/` say.

Jenkins itself judges the files before any of them lies on the machine, so a refused file leaves the old settings running and
the old files for the next start. What its check would apply is not sent to it (`definitions.casc_blanking`). The old files
stay beside the new ones until the reload succeeded, and are put back where it did not. The settings that Jenkins exports are
compared with those exported after the last reload: what somebody edited in the web interface is found, told setting by setting
beside what the code says, and undone where a reload overwrites it. What a reload would leave is told and left; that alone is
no reason for a reload, and a reload does not make it ours: it stays told until the code says it, or somebody undoes it. Other
software has other defaults, so with it the comparison begins anew.

The files lie in one folder of the machine; the host act puts them there once, for the first start, and never again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from bootstrap.environment.models import Settings
from bootstrap.errors import BootstrapError, CascRejected, Fault, Unreachable
from bootstrap.jenkins.controller import casc_faults, journal, settings_record
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, reason
from bootstrap.jenkins.controller.console_text import clean
from bootstrap.jenkins.controller.pages import page_text
from bootstrap.jenkins.controller.settings_record import FOLDER, Edits, look
from bootstrap.jenkins.definitions import casc as definitions
from bootstrap.jenkins.definitions import casc_blanking
from bootstrap.values import Change, ChangeKind, Controller, Reporter, Secret, Shell

__all__ = [
    "FOLDER",
    "SECRETS",
    "VARIABLES",
    "apply",
    "ensure_token",
    "export",
    "known",
    "look",
    "plan",
    "read",
    "require_final",
    "variables",
]

SECRETS = ("ADMIN_PASSWORD", "TOOLKIT_PASSWORD")
"""The files under /etc/jenkins/credentials that `${NAME}` may use; a password's has its hash, never its text."""

VARIABLES = (
    "BOOTSTRAP_ENVIRONMENT",
    "BOOTSTRAP_NETWORKS",
    "JENKINS_ADMIN_ADDRESS",
    "JENKINS_EXECUTORS",
    "JENKINS_PUBLIC_URL",
    "MAIL_REPLY_TO",
    "NO_PASSWORD",
    "SMTP_HOST",
    "SMTP_PORT",
)
"""The environment variables of jenkins.service that `${NAME}` may use; `variables` gives their values."""


NO_PASSWORD = f"#jbcrypt:$2a$10${'.' * 53}"
"""A hash in the form that Jenkins takes for a password's, with a salt and a sum of zeros: no password is known that has it."""


def variables(settings: Settings, url: str, mail_host: str) -> dict[str, str]:
    """What jenkins.service must have in its environment for the files: the values of `VARIABLES`.

    `mail_host` is the mail server as the machine reaches it.
    """
    return {
        "BOOTSTRAP_ENVIRONMENT": settings.name,
        "BOOTSTRAP_NETWORKS": " ".join(settings.networks),
        "JENKINS_ADMIN_ADDRESS": settings.jenkins.admin_address,
        "JENKINS_EXECUTORS": str(settings.jenkins.executors),
        "JENKINS_PUBLIC_URL": url,
        "MAIL_REPLY_TO": settings.mail.reply_to,
        "NO_PASSWORD": NO_PASSWORD,
        "SMTP_HOST": mail_host,
        "SMTP_PORT": str(settings.mail.smtp_port),
    }


def known(settings: Settings) -> dict[str, str]:
    """Those of `VARIABLES` that the environment's file alone decides: they are known before there is any machine."""
    found = variables(settings, "", "")
    return {name: value for name, value in found.items() if name not in {"JENKINS_PUBLIC_URL", "SMTP_HOST"}}


def read(folder: Path, values: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings' files, name to text; CascRejected with every fault that needs no Jenkins to be seen.

    `values` are the variables that are known already, as `known` gives them: what stands behind them is judged as well.
    """
    return definitions.read(folder, (*SECRETS, *VARIABLES), values)


def require_final(secrets: Mapping[str, Secret]) -> None:
    """Raise BootstrapError where a secret holds '${': Jenkins replaces variables in the values of variables as well."""
    for name, secret in secrets.items():
        if "${" in secret.reveal():
            raise BootstrapError(
                f"reading the secret {name} for Jenkins' settings",
                "its value contains '${', which Jenkins would replace as a variable",
                "Store a value without '${' in Secrets Manager, then try again.",
            )


def plan(
    shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str], values: Mapping[str, str], report: Reporter
) -> tuple[Change, ...]:
    """What `apply` would change; reads only. Differing files are judged by Jenkins: CascRejected.

    `values` are the files' variables, as `variables` gives them. What a reload would leave is told to `report`.
    """
    there = look(shell)
    changes = there.changes(files)
    _check(shell, jenkins, _to_send(changes, files))
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
        _check(shell, jenkins, _to_send(changes, files))
    edited = there.edits(export(jenkins), files, values) if there.is_comparable else Edits()
    edited.tell_left(report)
    if not changes and not there.is_recorded:
        report.progress("no reload of the settings with this software is recorded: reloading")
    if changes:
        settings_record.place(shell, files, changes)
        _reload_or_put_back(shell, jenkins, files)
    elif edited.changes or not there.is_recorded:
        _reload(shell, jenkins, files)
    else:
        return
    for change in (*changes, *edited.changes):
        report.change(change)
    settings_record.confirm(shell, export(jenkins), edited.left, there.exported)


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
        remedy = "Check that jenkins.service runs on the machine ('./bootstrap.py logs'), then launch again."
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
            raise BootstrapError(doing, f"Jenkins answered {added}", "Read the service's journal: ./bootstrap.py logs")
        # An older Jenkins lacks this one (404); there the other tokens stay.
        expect(session.post(f"{tokens}revokeAllExcept", data={"tokenUuid": uuid}, timeout=30), doing, 200, 404)
    return True


def _to_send(changes: Iterable[Change], files: Mapping[str, str]) -> dict[str, str]:
    """What Jenkins judges of the files: without what its check would apply, which our own vocabulary has judged."""
    changed = (change.name for change in changes if change.kind is not ChangeKind.REMOVE)
    blanked = {name: casc_blanking.blank(files[name]) for name in changed}
    return {name: text for name, text in blanked.items() if text is not None}


def _check(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    """Let Jenkins try each file; it tells the first fault, and its place within the text."""
    faults: list[Fault] = []
    for name, text in files.items():
        answer = ask(jenkins, "POST", "configuration-as-code/check", body=text, content_type="application/x-yaml")
        for found in _found(answer, journal.explainer(shell)):
            said = clean(str(found.get("message") or "")) or reason(answer)
            line, column = definitions.position(text, int(found.get("line", -1)))
            fault = casc_faults.read(said, files, checked=name)
            faults.append(fault if line == 1 else replace(fault, line=line, column=column))
    if faults:
        raise CascRejected(
            "checking the settings with Jenkins", faults, "Correct the file; Jenkins keeps its current settings."
        )


def _found(answer: requests.Response, explain: journal.Explain) -> list[dict[str, Any]]:
    """The faults that a check answers with; an answer of another shape is itself the fault."""
    try:
        found = answer.json() if answer.status_code in {200, 400} else None
    except ValueError:
        found = None
    if isinstance(found, list) and all(isinstance(each, dict) for each in found):
        return found
    return [{"line": -1, "message": reason(answer, explain)}]


def _reload_or_put_back(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    try:
        _reload(shell, jenkins, files)
    except BootstrapError:
        settings_record.put_back(shell)
        # Jenkins tries the whole tree before it touches anything, but what fails later leaves half of it.
        _reload(shell, jenkins, files)
        raise


def _reload(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    """Have Jenkins read its files again. Success is a redirect; an error page comes with the status 200.

    The page says neither the place nor the cause; the journal has both.
    """
    answer = ask(jenkins, "POST", "configuration-as-code/reload")
    first = answer.history[0] if answer.history else answer
    if first.status_code in {302, 303}:
        return
    if answer.status_code == 200:
        said = journal.reload_failure(shell) or page_text(answer.text)
    else:
        said = reason(answer, journal.explainer(shell))
    fault = casc_faults.read(said or "Jenkins refused to reload the settings without a reason", files)
    raise CascRejected(
        "reloading Jenkins' settings", [fault], "The previous files were restored; correct the new files and try again."
    )
