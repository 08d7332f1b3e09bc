"""All findings of `doctor`, in the order in which a launch would meet the problems. Nothing is made, started or written."""

from __future__ import annotations

import ipaddress
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bootstrap import launch
from bootstrap.context import PROJECT, Context
from bootstrap.doctor import cloud, jenkins_age, this_machine
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.environment import settings
from bootstrap.environment.models import Settings
from bootstrap.errors import BootstrapError, FaultyFile, UsageError
from bootstrap.jenkins.distribution import needs, source_check
from bootstrap.local.cloud import is_elsewhere
from bootstrap.preconditions import jenkins_files, sign_in
from bootstrap.remote import operator_machine
from bootstrap.views import mail as outgoing_mail

_MAIL_SERVERS = frozenset({"dma", "exim4", "exim4-daemon-light", "msmtp-mta", "nullmailer", "opensmtpd", "postfix"})
_SECONDS = 3.0  # the longest time for an answer of the local cloud


def examine(path: Path) -> Iterator[Finding]:
    """The findings for the environment file at `path`; if the file has faults, only that one."""
    try:
        chosen = settings.load(path)
    except FaultyFile as error:
        yield make_bad("environment", error.found.replace("\n", "; "), error.remedy)
        return
    yield make_good("environment", f"{path}: '{chosen.name}' in {chosen.cloud}, {chosen.region}")
    state = PROJECT / ".bootstrap" / chosen.name / "cloud"
    try:
        named = os.environ["AWS_ENDPOINT_URL"] if is_elsewhere(chosen.name, PROJECT / ".bootstrap") else None
    except UsageError as error:
        yield make_bad("environment", error.found, error.remedy)
        return
    endpoint = named or _find_local_endpoint(chosen, state)
    with Context(path, chosen, endpoint) as context:
        yield from _check_code(context)
        if chosen.cloud == "local":
            yield from this_machine.examine(chosen.name, chosen.network.cidr, state, is_running=endpoint is not None)
        by_session = chosen.ssh == "session-manager" or (chosen.ssh == "bastion" and not _lets_in(chosen))
        yield from this_machine.check_plugin("session-manager" if by_session else "direct")
        yield from this_machine.check_agent_key(chosen.access.agent_key)
        yield from check_jenkins(context)
        yield check_mail(chosen, endpoint)
        if chosen.cloud == "local" and endpoint is None:
            yield make_good("cloud", "the local cloud does not run; a launch starts it")
            return
        identity = cloud.check_identity(context)
        yield identity
        if not identity.remedy:
            yield from cloud.examine(context)


def _check_code(context: Context) -> Iterator[Finding]:
    """Files that people wrote: templates, settings, jobs, and the certificates that the environment file names."""
    try:
        launch.check_code(context)
        operator_machine.read_certificates(context.settings.host.ca_certificates)
    except BootstrapError as error:
        yield make_bad("code", f"{error.doing}: {error.found}".replace("\n", "; "), error.remedy)
    else:
        yield make_good("code", f"{len(context.wanted)} templates, {len(context.casc_files)} settings files, "
                           f"{len(context.jobset.jobs)} jobs are valid")  # fmt: skip


def _lets_in(chosen: Settings) -> bool:
    """Whether the bastion accepts SSH from outside."""
    return chosen.network.bastion is not None and bool(chosen.network.bastion.allow)


def check_jenkins(context: Context) -> Iterator[Finding]:
    """Whether the lock has all dependencies, whether its files can be proved, whether their source has them, and their age."""
    chosen = context.settings.jenkins
    try:
        jenkins_files.check_lock(context)
        sign_in.check_plugins(context)
    except BootstrapError as error:
        yield make_bad("lock", error.found.replace("\n", "; "), error.remedy)
        return
    lock = context.lock
    if unjudged := jenkins_files.find_unjudged(context):
        remedy = f"Run '{needs.COMMAND}' where the update center can be reached."
        yield make_warning("lock", f"no dependency is missing as far as is known; {unjudged}", remedy)
    else:
        yield make_good("lock", f"Jenkins {lock.version} and {len(lock.pins)} plugins have all their dependencies")
    if unproved := source_check.describe_unproved(chosen, lock):
        yield make_good("checksums", unproved)
    if chosen.source == "emulator":
        yield make_good(
            "jenkins", f"the emulator is used instead of Jenkins {lock.version}, as the environment file says"
        )
        yield from jenkins_age.examine(context, "")
        return
    try:
        files = jenkins_files.check_source(context)
    except BootstrapError as error:  # for example, this machine has no gpg
        yield make_bad("jenkins", f"{error.doing}: {error.found}", error.remedy)
        return
    remedy = "Put the locked files there, or set jenkins.source, jenkins.mirror or jenkins.file."
    if files.faults:
        yield make_bad("jenkins", "; ".join(files.faults), remedy)
    elif not files.unobtainable:
        yield make_good("jenkins", f"{lock.version} is available from {files.source}")
    elif chosen.fallback == "emulator":
        remedy = "Set jenkins.mirror or jenkins.file; until then the emulator is used instead."
        yield make_warning("jenkins", files.unobtainable, remedy)
    else:
        remedy = "Set jenkins.mirror or jenkins.file, or check this network's access to the Internet."
        yield make_bad("jenkins", files.unobtainable, remedy)
    yield from jenkins_age.examine(context, files.unobtainable)


def check_mail(chosen: Settings, endpoint: str | None) -> Finding:
    """Where Jenkins' mail goes, as far as it is known without sending one."""
    mail_settings = chosen.mail
    is_here = mail_settings.smtp_host is not None and _is_loopback(mail_settings.smtp_host)
    if mail_settings.smtp_host is not None and not (is_here and chosen.cloud == "aws"):
        return make_good(
            "mail", f"goes through {mail_settings.smtp_host}:{chosen.mail_port}, which this machine does not check"
        )
    if chosen.cloud == "local":
        problems = outgoing_mail.list_problems(endpoint)
        if problems:
            return make_warning("mail", "; ".join(problems), "Free that port, or set mail.smtp_port; then launch.")
        if chosen.mail.sandbox and chosen.jenkins.admin_address != chosen.mail_sender:
            refused = f"the sandbox refuses mail to {chosen.jenkins.admin_address}, which is not verified"
            return make_warning("mail", refused, "Verify the address with SES' API, or leave mail.sandbox out.")
        return make_good("mail", "is kept by the local cloud; 'mail' shows it")
    if any(package in _MAIL_SERVERS for package in chosen.host.extra_packages):
        return make_good("mail", f"goes through the machine's own server, port {chosen.mail_port}")
    remedy = "Name a mail server in mail.smtp_host, or add one to host.extra_packages, for example postfix."
    reason = f"is {mail_settings.smtp_host}, the machine itself" if is_here else "is not set"
    return make_warning("mail", f"no mail server: mail.smtp_host {reason}, and the machine has none", remedy)


def _is_loopback(host: str) -> bool:
    """Whether a mail server's name or address is the machine itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in {"localhost", "localhost.localdomain"} or host.lower().endswith(".localhost")


def _find_local_endpoint(chosen: Settings, state: Path) -> str | None:
    """The URL of the local cloud if it answers, else None; it is not started for that."""
    if chosen.cloud != "local":
        return None
    try:
        url = f"http://127.0.0.1:{int((state / 'port').read_text())}"
        urllib.request.urlopen(f"{url}/_bootstrap/health", timeout=_SECONDS).close()
    except urllib.error.HTTPError:
        return url
    except (OSError, ValueError):
        return None
    return url
