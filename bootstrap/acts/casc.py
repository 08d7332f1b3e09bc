"""The casc act: Jenkins' settings are what the files in `casc/` say.

Jenkins itself checks the files before they are put on the machine. If it refuses one, the old settings stay active, and the old
files are there for the next start. Some values are not sent for the check, because the check would apply them
(`definitions.casc_blanking`). The old files are kept beside the new ones until the reload succeeds; if it fails, they are
restored.

The act compares the settings that Jenkins exports with those that it exported after the last reload. So it finds what somebody
edited in the web interface, and reports each edit with the value of the code. A reload undoes an edit of a setting that the
code has. Other edits are reported and kept: they are no reason for a reload, and they are reported again until the code has the
setting, or until somebody undoes the edit. Another version of Jenkins has other defaults; then the comparison starts anew.

The files are in one folder of the machine. The host act puts them there once, for the first start, and never again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from bootstrap.environment.models import LOCAL_MAIL_USER, SMTP_PASSWORD, Settings
from bootstrap.errors import BootstrapError, CascRejected, Fault
from bootstrap.jenkins.controller import casc_faults, journal, people_accounts, provided_variables, settings_record
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, explain_refusal
from bootstrap.jenkins.controller.api_token import ensure_token
from bootstrap.jenkins.controller.console_text import clean
from bootstrap.jenkins.controller.pages import extract_text
from bootstrap.jenkins.controller.settings_record import FOLDER, Edits, read_stored_settings
from bootstrap.jenkins.definitions import casc as definitions
from bootstrap.jenkins.definitions import casc_blanking, people
from bootstrap.jenkins.definitions.people import NO_PASSWORD
from bootstrap.values import Change, ChangeKind, Reporter, Secret, Shell

__all__ = [
    "FOLDER",
    "SECRETS",
    "VARIABLES",
    "apply",
    "ensure_token",
    "export",
    "list_known_variables",
    "make_variables",
    "plan",
    "read",
    "read_stored_settings",
    "require_final",
]

SECRETS = ("ADMIN_PASSWORD", SMTP_PASSWORD, "TOOLKIT_PASSWORD")
"""The secrets of the toolkit's own that `${NAME}` may use, as files that systemd hands to Jenkins.

Those of users of Jenkins are hashes, never the passwords. The password of the mail server is there only if it has a login.
"""

VARIABLES = (
    "BOOTSTRAP_ENVIRONMENT",
    "BOOTSTRAP_NETWORKS",
    "JENKINS_ADMIN_ADDRESS",
    "JENKINS_EXECUTORS",
    "JENKINS_PUBLIC_URL",
    "MAIL_REPLY_TO",
    "MAIL_SENDER",
    "NO_PASSWORD",
    "SMTP_CREDENTIAL",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_SCOPE",
    "SMTP_SSL",
    "SMTP_TLS",
    "SMTP_USER",
)
"""The environment variables of jenkins.service that `${NAME}` may use; `make_variables` returns their values."""


def make_variables(settings: Settings, url: str, mail_host: str) -> dict[str, str]:
    """The values of `VARIABLES`, which jenkins.service must have as environment variables.

    `url` is Jenkins' URL, `mail_host` the mail server as the machine reaches it.
    """
    user = LOCAL_MAIL_USER if settings.is_mail_kept else settings.mail.user or ""
    return {
        "BOOTSTRAP_ENVIRONMENT": settings.name,
        "BOOTSTRAP_NETWORKS": " ".join(settings.networks),
        "JENKINS_ADMIN_ADDRESS": settings.jenkins.admin_address,
        "JENKINS_EXECUTORS": str(settings.jenkins.executors),
        "JENKINS_PUBLIC_URL": url,
        "MAIL_REPLY_TO": settings.mail.reply_to,
        "MAIL_SENDER": settings.mail_sender,
        "NO_PASSWORD": NO_PASSWORD,
        # The extended mail step takes a login from a credential only, and only from one that every build may use.
        "SMTP_CREDENTIAL": "mail" if user else "",
        "SMTP_HOST": mail_host,
        "SMTP_PORT": str(settings.mail_port),
        "SMTP_SCOPE": "GLOBAL" if user else "SYSTEM",
        "SMTP_SSL": "true" if settings.mail_security == "tls" else "false",
        "SMTP_TLS": "true" if settings.mail_security == "starttls" else "false",
        "SMTP_USER": user,
    }


def list_known_variables(settings: Settings) -> dict[str, str]:
    """The values of those `VARIABLES` that depend on the environment file alone: they are known before there is a machine."""
    values = make_variables(settings, "", "")
    return {name: value for name, value in values.items() if name not in {"JENKINS_PUBLIC_URL", "SMTP_HOST"}}


def read(
    folder: Path, values: Mapping[str, str] | None = None, own: Iterable[str] = (), own_folder: Path | None = None
) -> dict[str, str]:
    """Read the CasC files, name to text; CascRejected with every fault that can be found without Jenkins.

    `values` are the variables that are known already, as `list_known_variables` returns
    them: the values that they stand for are checked, too.
    `own` are the names of the environment's own secrets. The files in `own_folder`, a project's, are the upper layer.
    """
    return definitions.read(folder, (*SECRETS, *VARIABLES, *own), values, own_folder)


def require_final(secrets: Mapping[str, Secret]) -> None:
    """BootstrapError if a secret contains '${': Jenkins also replaces variables inside the values of variables."""
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
    """The changes that `apply` would make; changes nothing.

    Jenkins checks the files that differ: CascRejected if it refuses one. A file with variables that the running Jenkins gets
    only from the host act is left to the launch, with a notice. `values` are the variables of the files, as
    `make_variables` returns them. Edits that a reload would keep are reported to `report`.
    """
    current = read_stored_settings(shell)
    changes = current.find_changes(files)
    sent = _list_files_to_send(changes, files)
    missing = provided_variables.find_missing(shell, sent)
    for name, names in missing.items():
        report.notice(f"casc/{name} is checked at launch: this Jenkins does not have {', '.join(names)} yet")
    _check(shell, jenkins, {name: text for name, text in sent.items() if name not in missing})
    exported = export(jenkins)
    edited = current.find_edits(exported, files, values)
    edited.report_kept(report)
    left = people_accounts.find_left(exported, current.exported, people.list_users(files))
    return (*changes, *edited.changes, *map(people_accounts.make_change, left))


def apply(
    shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str], values: Mapping[str, str], report: Reporter
) -> None:
    """Bring Jenkins' settings to `files`; CascRejected if Jenkins refuses them, then the old settings are active.

    BootstrapError if the host act must come first, because the files have variables that the running Jenkins lacks.
    """
    current = read_stored_settings(shell)
    changes = current.find_changes(files)
    if changes:
        sent = _list_files_to_send(changes, files)
        _require_variables(shell, sent)
        _check(shell, jenkins, sent)
    users = people.list_users(files)
    exported = export(jenkins) if current.is_comparable else ""
    edited = current.find_edits(exported, files, values) if current.is_comparable else Edits()
    edited.report_kept(report)
    if not changes and not current.is_recorded:
        report.progress("no reload of the settings with this software is recorded: reloading")
    if changes:
        settings_record.place_files(shell, files, changes)
        _reload_or_put_back(shell, jenkins, files)
    elif edited.changes or not current.is_recorded or current.has_new_passwords:
        _reload(shell, jenkins, files)
    elif not people_accounts.find_left(exported, current.exported, users):
        return
    exported = export(jenkins)
    left = people_accounts.find_left(exported, current.exported, users)
    for name in left:  # behind the reload, which took their permissions
        people_accounts.remove(jenkins, name)
    for change in (*changes, *edited.changes, *map(people_accounts.make_change, left)):
        report.change(change)
    settings_record.confirm(shell, export(jenkins) if left else exported, edited.kept, current.exported)


def export(jenkins: JenkinsClient) -> str:
    """The current settings of Jenkins, without what differs between two exports: comments, ciphertexts and password hashes."""
    answer = expect(ask(jenkins, "POST", "configuration-as-code/export"), "exporting Jenkins' settings")
    lines = (line.rstrip() for line in answer.text.splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return re.sub(r"\{AQAA[A-Za-z0-9+/=]*\}|#jbcrypt:[^\s\"']+", "***", text) + "\n"


def _list_files_to_send(changes: Iterable[Change], files: Mapping[str, str]) -> dict[str, str]:
    """The changed files without the values that Jenkins' check would apply; `read` has checked these values already."""
    changed = (change.name for change in changes if change.kind is not ChangeKind.REMOVE)
    blanked = {name: casc_blanking.blank_applied_parts(files[name]) for name in changed}
    return {name: text for name, text in blanked.items() if text is not None}


def _require_variables(shell: Shell, files: Mapping[str, str]) -> None:
    missing = provided_variables.find_missing(shell, files)
    if missing:
        uses = "; ".join(f"casc/{name} uses {', '.join(names)}" for name, names in missing.items())
        raise BootstrapError(
            "checking the settings with Jenkins",
            f"the running Jenkins does not have these variables yet: {uses}",
            "Run './bootstrap.py launch', or './bootstrap.py host apply' first: it restarts Jenkins with them.",
        )


def _check(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
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


def _reload_or_put_back(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    try:
        _reload(shell, jenkins, files)
    except BootstrapError:
        settings_record.put_back(shell)
        # Jenkins checks the whole configuration before it applies it, but a failure while applying leaves half of it applied.
        _reload(shell, jenkins, files)
        raise


def _reload(shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str]) -> None:
    """Let Jenkins read its files again; CascRejected if it fails. Success is a redirect; an error page has the status 200.

    The error page has neither place nor cause; the service's journal has both.
    """
    answer = ask(jenkins, "POST", "configuration-as-code/reload")
    first = answer.history[0] if answer.history else answer
    if first.status_code in {302, 303}:
        return
    if answer.status_code == 200:
        message = journal.find_reload_failure(shell) or extract_text(answer.text)
    else:
        message = explain_refusal(answer, journal.make_explainer(shell))
    fault = casc_faults.parse_fault(message or "Jenkins refused to reload the settings without a reason", files)
    raise CascRejected(
        "reloading Jenkins' settings", [fault], "The previous files were restored; correct the new files and try again."
    )
