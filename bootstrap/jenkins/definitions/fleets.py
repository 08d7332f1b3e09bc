"""The groups of agents as settings of Jenkins: a credential for each in the settings files, and the document of their clouds.

Jenkins logs in on the instances of a group with the credential. It is one of the settings that Jenkins reads at its start; the
private key is a secret of the service, under the name that `name_secret` returns.

The clouds are in no settings file. A cloud of the plugin ec2-fleet asks AWS for its group when it is made (EC2FleetCloud), so a
group that is missing, or an AWS that does not answer, would keep a Jenkins with the clouds in its files from starting. Jenkins
gets them when it runs (`controller.clouds`), and keeps them: it loads the kept ones without asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bootstrap.environment.agents import INFRASTRUCTURE, AgentGroup
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_insertion, casc_tree
from bootstrap.jenkins.definitions.casc_insertion import find_value
from bootstrap.jenkins.definitions.casc_tree import Node
from bootstrap.remote.desired import jobs_access

USER = "jenkins"
"""The user on an instance as which Jenkins logs in and builds run."""

FOLDER = "/home/jenkins/agent"
"""The folder of the agent on an instance. It must be the same at each connection: a build is continued by it."""

KIND = "eC2Fleet"
"""The name that Configuration as Code has for a cloud of the plugin ec2-fleet."""

_DOMAINS = (("credentials",), ("system",), ("domaincredentials",))
_DOING = "putting the groups of agents into Jenkins' settings"
# What user data installs must be there before the agent's program starts: sshd answers earlier. (As long as there is no Java at
# all, the plugin's attempts to connect fail before this.) Jenkins shows the line in the log of the agent.
_WAIT = (
    "cloud-init status --wait >/dev/null || echo 'cloud-init of this instance ended with errors; "
    "packages may be missing: /var/log/cloud-init-output.log' >&2; "
)
_UPDATE_SECONDS = 5  # between two looks at a group, and at a new agent; the plugin's own 10 and 15 make starts slower
_ONLINE_SECONDS = 900  # until an instance must be connected: it may have many packages to install
_CONNECT_SECONDS = 60  # for one attempt to connect


@dataclass(frozen=True)
class Fleet:
    """A group as it exists: the name of its Auto Scaling group, and the public host key of its instances.

    The key is one line with type and key, as in 'ssh-ed25519 AAAA...'.
    """

    group: str
    host_key: str


@dataclass(frozen=True)
class Door:
    """Where the agents of the toolkit's jobs log in on the controller's machine: its address, and its host key as above."""

    address: str
    host_key: str


def name_secret(label: str) -> str:
    """The name of the secret of the service with the private key for a group, by the label of the group."""
    return f"AGENTS_{label.upper().replace('-', '_')}_KEY"


def list_secret_names(groups: Mapping[str, AgentGroup]) -> tuple[str, ...]:
    """The names of the secrets that the settings of these groups use, in the order of the groups."""
    return tuple(map(name_secret, groups))


def name_credential(label: str) -> str:
    """The id of the credential with which Jenkins logs in on the instances of a group."""
    return f"agents-{label}"


def add_credentials(files: Mapping[str, str], groups: Mapping[str, AgentGroup]) -> dict[str, str]:
    """The settings files with a credential for each group; the same files if there are no groups.

    No build can use the credentials: they have the scope SYSTEM. CascRejected if a file has clouds of its own, because Jenkins
    has one list of clouds; or if no file has a list of credentials.
    """
    if not groups:
        return dict(files)
    _refuse_other_clouds(files)
    found = casc_insertion.find_list(files, _DOMAINS)
    if found is None:
        reason = "no file has the list 'credentials.system.domainCredentials', so agents have no credentials"
        raise CascRejected(_DOING, [Fault("casc", 1, 1, reason)], "Add the list to casc/, or take 'agents' out.")
    file, domains = found
    entries = [_make_credential(label) for label in groups]
    of_all = _find_credentials_of_all(domains)
    if of_all is not None:
        return casc_insertion.add_entries(files, [(file, of_all, entries)])
    return casc_insertion.add_entries(files, [(file, domains, [{"credentials": entries}])])


def _refuse_other_clouds(files: Mapping[str, str]) -> None:
    faults = []
    for name, text in files.items():
        clouds = find_value(find_value(casc_tree.parse(text), "jenkins"), "clouds")
        if clouds is not None:
            reason = "the environment file has 'agents', and a reload of these clouds would remove those of the agents"
            faults.append(Fault(f"casc/{name}", clouds.line, clouds.column, reason))
    if faults:
        raise CascRejected(_DOING, faults, "Take 'clouds' out of the file, or 'agents' out of the environment file.")


def _find_credentials_of_all(domains: Node) -> Node | None:
    """The list of the credentials that belong to no domain, which is a set of hosts, in a list of domains."""
    for domain in domains.items:
        credentials = _find_list_in(domain, "credentials")
        if credentials is not None and find_value(domain.meant, "domain") is None:
            return credentials
    return None


def _find_list_in(node: Node, key: str) -> Node | None:
    """The list of a key of a mapping; None if there is none."""
    found = find_value(node.meant, key)
    return found if found is not None and found.kind is casc_tree.Kind.LIST else None


def _make_credential(label: str) -> dict[str, Any]:
    return {
        "basicSSHUserPrivateKey": {
            "id": name_credential(label),
            "scope": "SYSTEM",
            "description": f"The login on the agents '{label}'",
            "username": USER,
            "privateKeySource": {"directEntry": {"privateKey": f"${{{name_secret(label)}}}"}},
        }
    }


def make_clouds(groups: Mapping[str, AgentGroup], fleets: Mapping[str, Fleet], door: Door | None = None) -> str:
    """The settings of Jenkins with one cloud for each group, as YAML; '' if there are no groups.

    `fleets` has the existing group for each label; KeyError if one is missing. `door` is for the agents of the toolkit's jobs.
    """
    if not groups:
        return ""
    doors = {INFRASTRUCTURE: door}
    clouds = [{KIND: _make_cloud(label, it, fleets[label], doors.get(label))} for label, it in groups.items()]
    # As YAML 1.1, by which Jenkins reads: a label such as 'no' is quoted.
    return yaml.safe_dump({"jenkins": {"clouds": clouds}}, sort_keys=False, width=4096)


def _make_start(door: Door | None) -> str:
    """What the shell of an agent does before the agent starts; Jenkins tries again where it fails.

    An agent of the toolkit's jobs asks the machine for its world (`jobs_access`). Jenkins itself says which host key the
    machine has, over a connection that both ends know.
    """
    if door is None:
        return _WAIT
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "20",
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": "~/controller/known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
    }
    chosen = " ".join(f"-o {name}={value}" for name, value in options.items())
    ask = f"ssh -n -T -i {jobs_access.KEY} {chosen} {jobs_access.USER}@{door.address} {jobs_access.WORLD}"
    keep = f"umask 077; mkdir -p ~/controller && echo '{door.address} {door.host_key}' > ~/controller/known_hosts"
    return f"{_WAIT}{keep} && {ask} > ~/controller/world && umask 022 && . ~/controller/world && "


def _make_cloud(label: str, group: AgentGroup, fleet: Fleet, door: Door | None) -> dict[str, Any]:
    connector = {
        "credentialsId": name_credential(label),
        "port": 22,
        "launchTimeoutSeconds": _CONNECT_SECONDS,
        "maxNumRetries": 0,  # the plugin itself connects again, every `initOnlineCheckIntervalSec`
        "retryWaitTime": _UPDATE_SECONDS,
        "prefixStartSlaveCmd": _make_start(door),
        # The only strategy that knows the key beforehand and works: the one with a known_hosts file looks for another launcher.
        "sshHostKeyVerificationStrategy": {"manuallyProvidedKeyVerificationStrategy": {"key": fleet.host_key}},
    }
    return {
        "name": label,
        # No region: with one, the plugin makes the URL of AWS itself and ignores that of the environment.
        "fleet": fleet.group,
        "labelString": label,
        "computerConnector": {"sshConnector": connector},
        "privateIpUsed": True,
        "fsRoot": FOLDER,
        "numExecutors": group.executors,
        "minSize": group.minimum,
        "maxSize": group.maximum,
        "minSpareSize": group.spare,
        "maxTotalUses": group.uses or -1,
        "idleMinutes": group.idle_minutes,
        "restrictUsage": group.exclusive,
        "noDelayProvision": True,
        # Else an instance that lost its connection counts for ever, as one of `minimum` or `spare`, and takes no build.
        "alwaysReconnect": True,
        "disableTaskResubmit": True,  # else the plugin aborts a Pipeline whose agent is lost, and `retry` never sees it
        "initOnlineTimeoutSec": _ONLINE_SECONDS,
        "initOnlineCheckIntervalSec": _UPDATE_SECONDS,
        "cloudStatusIntervalSec": _UPDATE_SECONDS,
    }
