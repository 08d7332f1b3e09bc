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

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from bootstrap.environment.models import LOCAL_MAIL_USER, SMTP_PASSWORD, Settings
from bootstrap.errors import BootstrapError, CascRejected
from bootstrap.jenkins.controller import (
    access,
    account_record,
    casc_faults,
    clouds,
    journal,
    people_accounts,
    provided_variables,
    settings_check,
    settings_record,
)
from bootstrap.jenkins.controller.api import JenkinsClient, ask, explain_refusal
from bootstrap.jenkins.controller.api_token import ensure_token
from bootstrap.jenkins.controller.pages import extract_text
from bootstrap.jenkins.controller.settings_export import export
from bootstrap.jenkins.controller.settings_record import FOLDER, Edits, StoredSettings, read_stored_settings
from bootstrap.jenkins.definitions import agents, people, sign_in
from bootstrap.jenkins.definitions import casc as definitions
from bootstrap.jenkins.definitions.people import NO_PASSWORD
from bootstrap.values import Change, Reporter, Secret, Shell

__all__ = [
    "FOLDER",
    "SECRETS",
    "VARIABLES",
    "apply",
    "ensure_token",
    "export",
    "find_edits",
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
    "JENKINS_BUILDER_LABEL",
    "JENKINS_BUILDER_MODE",
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
        **agents.make_builder_variables(settings.agents),
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
    shell: Shell,
    jenkins: JenkinsClient,
    files: Mapping[str, str],
    values: Mapping[str, str],
    report: Reporter,
    wished_clouds: str = "",
) -> tuple[Change, ...]:
    """The changes that `apply` would make; changes nothing.

    Jenkins checks the files that differ: CascRejected if it refuses one. A file with variables that the running Jenkins gets
    only from the host act is left to the launch, with a notice. `values` are the variables of the files, as
    `make_variables` returns them, and `wished_clouds` the document of `fleets.make_clouds`. Edits that a reload would keep are
    reported to `report`.
    """
    current = read_stored_settings(shell)
    changes = current.find_changes(files)
    sent = settings_check.list_files_to_send(changes, files)
    missing = provided_variables.find_missing(shell, sent)
    for name, names in missing.items():
        report.notice(f"casc/{name} is checked at launch: this Jenkins does not have {', '.join(names)} yet")
    settings_check.check(shell, jenkins, {name: text for name, text in sent.items() if name not in missing})
    exported = export(jenkins)
    edited = find_edits(current, exported, files, values, wished_clouds)
    edited.report_kept(report)
    users, made = people.list_users(files), account_record.read(shell)
    left = people_accounts.find_left(exported, current.exported, users, made)
    of_clouds = clouds.find_changes(exported, wished_clouds)
    return (*changes, *edited.changes, *map(people_accounts.make_change, left), *of_clouds)


def apply(
    shell: Shell,
    jenkins: JenkinsClient,
    files: Mapping[str, str],
    values: Mapping[str, str],
    report: Reporter,
    wished_clouds: str = "",
) -> None:
    """Bring Jenkins' settings to `files`; CascRejected if Jenkins refuses them, then the old settings are active.

    Then bring its clouds to the document `wished_clouds`, as `fleets.make_clouds` returns it. BootstrapError if Jenkins refuses
    one; or if the host act must come first, because the files have variables that the running Jenkins lacks.
    """
    exported = _apply_settings(shell, jenkins, files, values, report, wished_clouds)
    clouds.apply(shell, jenkins, exported or export(jenkins), wished_clouds, report)


def _apply_settings(
    shell: Shell,
    jenkins: JenkinsClient,
    files: Mapping[str, str],
    values: Mapping[str, str],
    report: Reporter,
    wished_clouds: str,
) -> str:
    """Bring Jenkins' settings to `files`; returns what Jenkins exports then."""
    current = read_stored_settings(shell)
    changes = current.find_changes(files)
    if changes:
        sent = settings_check.list_files_to_send(changes, files)
        settings_check.require_variables(shell, sent)
        settings_check.check(shell, jenkins, sent)
    users, made = people.list_users(files), _record_accounts(shell, files)
    exported = export(jenkins) if current.is_comparable else ""
    edited = find_edits(current, exported, files, values, wished_clouds) if exported else Edits()
    edited.report_kept(report)
    if not changes and not current.is_recorded:
        report.progress("no reload of the settings with this software is recorded: reloading")
    if changes:
        settings_record.place_files(shell, files, changes)
        _reload_or_put_back(shell, jenkins, files)
        if any(change.name == sign_in.FILE for change in changes):
            access.require(shell, jenkins)
    elif edited.changes or not current.is_recorded or current.has_new_passwords:
        _reload(shell, jenkins, files)
    elif not people_accounts.find_left(exported, current.exported, users, made):
        return exported
    exported = export(jenkins)
    left = people_accounts.find_left(exported, current.exported, users, made)
    for name in left:  # behind the reload, which took their permissions
        people_accounts.remove(jenkins, name)
    if made.intersection(left):
        account_record.write(shell, made.difference(left))
    for change in (*changes, *edited.changes, *map(people_accounts.make_change, left)):
        report.change(change)
    exported = export(jenkins) if left else exported
    settings_record.confirm(shell, clouds.leave_out(exported, wished_clouds), edited.kept, current.exported)
    return exported


def find_edits(
    current: StoredSettings, exported: str, files: Mapping[str, str], values: Mapping[str, str], wished_clouds: str
) -> Edits:
    """The edits since the last reload, but those of clouds, which `controller.clouds` compares.

    `exported` is what Jenkins exports now, `files` are those of the code, `values` their variables that are not secret.
    """
    before = None if current.exported is None else clouds.leave_out(current.exported, wished_clouds)
    now = clouds.leave_out(exported, wished_clouds)
    return replace(current, exported=before).find_edits(now, files, values)


def _record_accounts(shell: Shell, files: Mapping[str, str]) -> frozenset[str]:
    """Add the accounts of people that a reload makes to the record, before it makes them; returns all recorded ids."""
    recorded = account_record.read(shell)
    made = recorded | people.list_accounts_of_people(files)
    if made != recorded:
        account_record.write(shell, made)
    return made


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
