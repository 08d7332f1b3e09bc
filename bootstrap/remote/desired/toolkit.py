"""The files that the toolkit needs on the machine, where jobs run it: its repository, its variables, and the inspector."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bootstrap.environment.models import SMTP_PASSWORD
from bootstrap.remote.desired.agent import AGENTS, INFRASTRUCTURE, VENVS
from bootstrap.remote.desired.base import PACKAGES, SYSCTLS, Resources, make_directory, make_file, make_unit
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.jenkins import (
    CASC_FOLDER,
    CREDENTIALS,
    EMULATOR,
    HOME,
    JAVA_HOME,
    OWN_CREDENTIALS,
    PLUGINS_LOCK,
    TOOLKIT_SECRETS,
    WAR,
    format_environment_file,
)
from bootstrap.remote.desired.people import GIT_USER, KEYS, PASSWORDS, REPOSITORY
from bootstrap.remote.templates import read_text

INSPECTOR = "/usr/local/sbin/inspect-machine"
MAIL_INSPECTOR = "/usr/local/sbin/ask-mail-server"
INSPECTED_PATHS = (
    *("/etc/bootstrap/aws.env", "/etc/bootstrap/machine.json", "/etc/jenkins", CASC_FOLDER, CREDENTIALS),
    *(f"{CREDENTIALS}/{name}" for name in ("ADMIN_PASSWORD", "TOOLKIT_PASSWORD")),
    *(TOOLKIT_SECRETS, f"{TOOLKIT_SECRETS}/password", f"{TOOLKIT_SECRETS}/token"),
    *(PLUGINS_LOCK, "/etc/jenkins/jenkins.env", "/etc/nftables.conf", "/etc/ssh/sshd_config.d/10-bootstrap.conf"),
    *("/etc/nginx/conf.d/jenkins.conf", "/etc/nginx/sites-enabled/default", "/etc/nginx/tls"),
    *("/etc/nginx/tls/server.crt", "/etc/nginx/tls/server.key", "/etc/systemd/system/jenkins.service"),
    *(HOME, f"{HOME}/secrets", f"{HOME}/config.xml", WAR, EMULATOR, REPOSITORY, INSPECTOR, MAIL_INSPECTOR),
    *(path for agent in AGENTS for path in (agent.home, agent.secret, f"/etc/systemd/system/{agent.unit}")),
    *(VENVS, KEYS, f"{KEYS}/{GIT_USER}", PASSWORDS),
)
INSPECTED_UNITS = (
    *("jenkins.service", *(agent.unit for agent in AGENTS), "nginx.service", "nftables.service", "ssh.service"),
    *("systemd-journald.service", "apt-daily.timer", "apt-daily-upgrade.timer", "inspect-machine.socket"),
    "var-lib-jenkins.mount",
)
# Those that run for long, and so may outlive what they run.
INSPECTED_SERVICES = ("jenkins.service", *(agent.unit for agent in AGENTS), "nginx.service", "ssh.service")


def list_toolkit_resources(inputs: HostInputs) -> Resources:
    """The identity of the machine, how builds reach AWS and packages, and the repository that the jobs check out."""
    plugins = json.dumps(dict(inputs.software.plugins), sort_keys=True)
    machine = {
        "environment": inputs.settings.name,
        "instance_id": inputs.instance_id,
        "venvs": VENVS,
        "software": {
            "kind": inputs.software.kind,
            "version": inputs.software.version,
            "plugins": hashlib.sha256(plugins.encode()).hexdigest(),
        },
    }
    aws = format_environment_file(dict(inputs.aws_environment))
    resources = [
        make_directory("/etc/bootstrap"),
        make_file("machine", "/etc/bootstrap/machine.json", json.dumps(machine, sort_keys=True) + "\n"),
        make_file("aws environment", "/etc/bootstrap/aws.env", aws, mode="0600", secret=True),
        make_file("authority", "/etc/bootstrap/authority.crt", inputs.authority),
        make_directory("/var/cache/bootstrap"),
        make_file("git settings", "/etc/gitconfig", f"[safe]\n\tdirectory = {REPOSITORY}\n"),
    ]
    if inputs.pip_configuration:
        # The indexes' URLs may hold a password.
        closed: dict[str, Any] = {"group": INFRASTRUCTURE.user, "mode": "0640", "secret": True}
        resources.append(make_file("pip settings", "/etc/pip.conf", inputs.pip_configuration, **closed))
    if inputs.toolkit is not None:
        repository = {
            "id": "toolkit repository",
            "kind": "repository",
            "path": REPOSITORY,
            "branch": inputs.toolkit.branch,
            "commit": inputs.toolkit.commit,
            "bundle": inputs.toolkit.bundle,
            "owner": GIT_USER,
        }
        resources.append(repository)
    return resources


def list_inspection_resources(inputs: HostInputs, metadata: str) -> Resources:
    """The inspector: facts that only root can read, for root and, through a socket, for the toolkit's builds in the sandbox.

    `metadata` is the URL of the metadata service.
    """
    variables = inputs.casc_variables
    asked = {
        "paths": [*INSPECTED_PATHS, f"{KEYS}/{inputs.login_user}"],
        "mounts": [HOME],
        "units": list(INSPECTED_UNITS),
        "sysctls": sorted(SYSCTLS),
        "packages": list(PACKAGES),
        "services": list(INSPECTED_SERVICES),
        "java_home": JAVA_HOME,
        "metadata": {"url": metadata, "users": [agent.user for agent in AGENTS]},
        "mail": {
            "host": variables.get("SMTP_HOST") or "localhost",
            "port": inputs.settings.mail_port,
            "security": inputs.settings.mail_security,
            "user": variables.get("SMTP_USER", ""),
            "password": f"{OWN_CREDENTIALS}/{SMTP_PASSWORD}",
            "sender": inputs.settings.mail_sender,
        },
    }
    units = "/etc/systemd/system"
    return [
        make_file("inspected facts", "/etc/bootstrap/inspect.json", json.dumps(asked, indent=1) + "\n"),
        make_file("inspector", INSPECTOR, read_text("inspect_machine.py"), mode="0755"),
        make_file("mail server's inspector", MAIL_INSPECTOR, read_text("ask_mail_server.py"), mode="0755"),
        make_file("inspector service", f"{units}/inspect-machine@.service", read_text("inspect-machine@.service")),
        make_file("inspector socket", f"{units}/inspect-machine.socket", read_text("inspect-machine.socket")),
        make_unit("inspect-machine.socket", restart_on=["inspector socket"]),
    ]
