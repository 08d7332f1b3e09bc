"""Jenkins on the machine: its account, its home on the data volume, its configuration, its files and its service."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.remote.desired.base import (
    JAVA_PACKAGES,
    JENKINS_PORT,
    Resources,
    list_emulator_packages,
    make_directory,
    make_file,
    make_unit,
)
from bootstrap.remote.desired.inputs import HostInputs, Software
from bootstrap.remote.templates import render

HOME = "/var/lib/jenkins"
CASC_FOLDER = "/etc/jenkins/casc.d"
CREDENTIALS = "/etc/jenkins/credentials"
OWN_CREDENTIALS = f"{CREDENTIALS}/own"  # the environment's own secrets
# The toolkit's own password and token: with them root asks Jenkins, on this machine, for what a restart must know.
TOOLKIT_SECRETS = "/etc/bootstrap/toolkit"
REMOVED_SECRETS = "/etc/jenkins/removed-secrets.env"
WAR = "/usr/local/share/jenkins/jenkins.war"
EMULATOR = "/usr/local/lib/jenkins-emulator"
PLUGINS_LOCK = "/etc/jenkins/plugins.json"
JAVA_HOME = "/usr/lib/jvm/java-25-openjdk-amd64"
# The services of `agent.AGENTS`, which end when a process of theirs has taken the port of Jenkins.
# A group of agents for the toolkit's jobs takes the place of the first one.
AGENT_UNITS = ("jenkins-agent.service", "jenkins-builder.service")
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Minutes without a request after which a session of a browser ends; Jetty, in which Jenkins runs, reads both.
SESSION_MINUTES = 30
# Percent of the machine's memory that Jenkins may use. The largest heap of Java, and what Java needs beside it (MiB, at least),
# must fit into that. The agent with the builds, and nginx, have shares of their own.
MEMORY_SHARE, BESIDE_THE_HEAP = 55, 256
_OPTIONS = (
    f"--sessionTimeout={SESSION_MINUTES}",
    f"--sessionEviction={SESSION_MINUTES * 60}",
    "--requestFormContentSize=10000000",  # bytes of a form; Jenkins' own default is no limit
)
_PROPERTIES = {
    "jenkins.install.runSetupWizard": "false",
    "jenkins.model.Jenkins.slaveAgentPort": "-1",
    "jenkins.model.Jenkins.slaveAgentPortEnforce": "true",
    "com.cloudbees.plugins.credentials.UseItemPermission": "true",
}
# For groups of agents. Jenkins looks every two seconds for builds that wait for an agent, from its start on; by itself it does
# every ten, and makes no agent in the first 100 seconds. A build whose agent is gone for two minutes goes on without it; by
# itself it waits five. After a restart of Jenkins an agent needs less than that to come back.
_GROUP_PROPERTIES = {
    "hudson.slaves.NodeProvisioner.initialDelay": "0",
    "hudson.slaves.NodeProvisioner.recurrencePeriod": "2000",
    "org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis": "120000",
}
LOCAL_CHECKOUT = "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT"
"""With this property, a build on the controller may check out any folder that Jenkins may read."""
# Fixed, because the data volume keeps numbers and outlives the machine that knows the names.
_NUMBER = 870


def list_account_resources() -> Resources:
    """The group and the user that Jenkins runs as; its builds run as the agent's."""
    return [
        {"id": "group jenkins", "kind": "group", "name": "jenkins", "gid": _NUMBER},
        {
            "id": "user jenkins",
            "kind": "user",
            "name": "jenkins",
            "uid": _NUMBER,
            "group": "jenkins",
            "home": HOME,
            "shell": "/bin/bash",
        },
    ]


def list_home_resources(volume_id: str) -> Resources:
    """JENKINS_HOME: the data volume, found by its id under the name that udev gives EBS volumes on NVMe."""
    device = f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace('-', '')}"
    return [
        {"id": "data volume", "kind": "mount", "path": HOME, "device": device, "wait": 120},
        make_directory(HOME, owner="jenkins", group="jenkins", mode="0750"),
    ]


def list_configuration_resources(inputs: HostInputs) -> Resources:
    """What Jenkins reads at its start: settings, credentials and environment."""
    casc = {
        "id": "casc files",
        "kind": "tree",
        "path": CASC_FOLDER,
        # For the first start only: an open Jenkins must never be seen. Later files are judged by Jenkins first (casc act).
        "once": True,
        "owner": "root",
        "group": "root",
        # No secret is in them, and the job 'drift' reads them.
        "directory_mode": "0755",
        "files": [{"path": name, "content": text, "mode": "0644"} for name, text in sorted(inputs.casc_files.items())],
    }
    credentials = [
        make_file(f"credential {name}", f"{CREDENTIALS}/{name}", secret.reveal(), mode="0400", secret=True)
        for name, secret in sorted(inputs.secrets.items())
    ]
    own = {"password": inputs.toolkit_password, "token": inputs.toolkit_token}
    toolkit_secrets = [
        make_file(f"toolkit's {name}", f"{TOOLKIT_SECRETS}/{name}", secret.reveal(), mode="0400", secret=True)
        for name, secret in own.items()
    ]
    plugins = json.dumps(dict(inputs.software.plugins), indent=1, sort_keys=True) + "\n"
    environment = format_environment_file(_make_environment(inputs))
    return [
        make_directory("/etc/jenkins"),
        casc,
        make_directory(CREDENTIALS, mode="0700"),
        *credentials,
        # A tree, so that the file of a secret that the environment no longer has is removed.
        {
            "id": "own secrets",
            "kind": "tree",
            "path": OWN_CREDENTIALS,
            "owner": "root",
            "group": "root",
            "directory_mode": "0700",
            "secret": True,
            "files": [
                {"path": name, "content": secret.reveal(), "mode": "0400"}
                for name, secret in sorted(inputs.own_secrets.items())
            ],
        },
        # Jenkins has none of the toolkit's tokens any more, but machines of earlier versions keep the file.
        {"id": "credential TOOLKIT_TOKEN", "kind": "absent", "path": f"{CREDENTIALS}/TOOLKIT_TOKEN"},
        make_directory(TOOLKIT_SECRETS, mode="0700"),
        *toolkit_secrets,
        make_file("plugins lock", PLUGINS_LOCK, plugins),
        make_file("jenkins environment", "/etc/jenkins/jenkins.env", environment),
        # Jenkins does not start with settings whose variable has no value, and the casc act brings the new ones only when it
        # runs. When Jenkins has read those, the casc act empties this file, which restarts nothing.
        make_file(
            "removed secrets",
            REMOVED_SECRETS,
            format_environment_file(dict.fromkeys(inputs.removed_secrets, "")),
        ),
        make_unit_file(inputs),
    ]


def format_environment_file(values: dict[str, str]) -> str:
    """Variables in systemd's EnvironmentFile syntax, which a shell reads the same way."""
    escaped = {
        name: "".join(f"\\{character}" if character in '\\"`$' else character for character in value)
        for name, value in values.items()
    }
    return "".join(f'{name}="{value}"\n' for name, value in sorted(escaped.items()))


def list_certificate_variables(inputs: HostInputs) -> dict[str, str]:
    """Variables for Python's libraries, which have certificate authorities of their own: they trust what the machine does."""
    names = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    return dict.fromkeys(names, _BUNDLE) if inputs.ca_certificates else {}


def _make_environment(inputs: HostInputs) -> dict[str, str]:
    environment = {
        **inputs.casc_variables,
        "JENKINS_HOME": HOME,
        "JAVA_HOME": JAVA_HOME,
        "CASC_JENKINS_CONFIG": CASC_FOLDER,
        "CASC_STRICT_SECRET_RESOLUTION": "true",
        # Read by the plugin prometheus at its start; its settings of the same name have no effect.
        "COLLECTING_METRICS_PERIOD_IN_SECONDS": "120",
        # Settings of an earlier version name it, and are in place until Jenkins, once it runs, has taken these.
        "TOOLKIT_TOKEN": "",
        "LANG": "C.UTF-8",
    }
    environment |= list_certificate_variables(inputs)
    if inputs.software.kind == "emulator":
        environment |= {
            "JENKINS_LISTEN_ADDRESS": "127.0.0.1",
            "JENKINS_PORT": str(JENKINS_PORT),
            "JENKINS_EMULATED_VERSION": inputs.software.version,
            "JENKINS_PLUGINS_LOCK": PLUGINS_LOCK,
            "PYTHONPATH": EMULATOR,
        }
    return environment


def list_software_resources(distribution: Software) -> Resources:
    """Jenkins' own files: the WAR and its plugins, or the emulator."""
    if distribution.emulator is not None:
        files = [{"path": name, "sha256": digest} for name, digest in sorted(distribution.emulator.files.items())]
        emulator = {
            "id": "emulator",
            "kind": "tree",
            "path": EMULATOR,
            "archive": distribution.emulator.sha256,
            "files": files,
            "owner": "root",
            "group": "root",
        }
        return [emulator]
    folder = WAR.rpartition("/")[0]
    war = {
        "id": "jenkins.war",
        "kind": "file",
        "path": WAR,
        "sha256": distribution.war,
        "owner": "root",
        "group": "root",
    }
    plugins = {
        "id": "plugins",
        "kind": "tree",
        "path": f"{HOME}/plugins",
        "owner": "jenkins",
        "group": "jenkins",
        "directory_mode": "0750",
        # Jenkins unpacks each plugin beside its file; only plugin files can be unlisted.
        "unlisted": ["*.jpi", "*.hpi"],
        "files": [
            {"path": f"{name}.jpi", "sha256": digest, "mode": "0640"}
            for name, digest in sorted(distribution.plugin_files.items())
        ],
    }
    return [make_directory(folder), war, plugins]


def make_service(inputs: HostInputs) -> dict[str, Any]:
    """jenkins.service; it is restarted when a file changed that it reads only at its start."""
    credentials = [f"credential {name}" for name in sorted(inputs.secrets)]
    kind_of_software = ["emulator"] if inputs.software.kind == "emulator" else ["jenkins.war", "plugins"]
    causes = ["jenkins.service file", "jenkins environment", "plugins lock", "aws environment"]
    own = ["own secrets"] if inputs.own_secrets else []
    restart_on = [*causes, *kind_of_software, *credentials, *own]
    emulated = list_emulator_packages(inputs.software.kind, has_groups=bool(inputs.settings.agents))
    runs_on = ["python3", *emulated] if emulated else list(JAVA_PACKAGES)
    return make_unit("jenkins.service", restart_on=restart_on, timeout=660, runs_on=runs_on)


def compute_needed_memory(heap: str) -> int:
    """The MiB that Java needs at least for a heap ('512m' or '2g')."""
    return (int(heap[:-1]) << (10 if heap.endswith("g") else 0)) + BESIDE_THE_HEAP


def make_unit_file(inputs: HostInputs) -> dict[str, Any]:
    """The text of jenkins.service."""
    properties = _PROPERTIES | ({LOCAL_CHECKOUT: "true"} if inputs.toolkit is not None else {})
    properties |= _GROUP_PROPERTIES if inputs.settings.agents else {}
    content = render(
        "jenkins.service",
        kind=inputs.software.kind,
        home=HOME,
        war=WAR,
        java_home=JAVA_HOME,
        port=JENKINS_PORT,
        agents=" ".join(AGENT_UNITS[1:] if takes_toolkit_jobs(inputs.settings.agents) else AGENT_UNITS),
        heap=inputs.settings.jenkins.heap,
        credentials={
            **{name: f"{CREDENTIALS}/{name}" for name in sorted(inputs.secrets)},
            **{name: f"{OWN_CREDENTIALS}/{name}" for name in sorted(inputs.own_secrets)},
        },
        memory=MEMORY_SHARE,
        properties=" ".join(f"-D{name}={value}" for name, value in properties.items()),
        options=" ".join(_OPTIONS),
    )
    return make_file("jenkins.service file", "/etc/systemd/system/jenkins.service", content)
