"""The agents on the machine: builds run here, as users who cannot read the files of Jenkins.

There are two, and each has its own user: one for the jobs of the toolkit, which use the machine's IAM role, and one for
ordinary jobs, which must not. The firewall keeps the user of ordinary jobs from the metadata service
(`base.list_hardening_resources`).

An agent's program comes from Jenkins at each of its starts, so it always has the right version. Its secret comes from Jenkins,
too, and reaches it through a file of root's. Both need a Jenkins that runs: these resources come after jenkins.service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bootstrap.environment.agents import AgentGroup, takes_toolkit_jobs
from bootstrap.remote.desired.base import (
    EMULATOR_PACKAGES,
    JAVA_PACKAGES,
    JENKINS_PORT,
    Resources,
    make_directory,
    make_file,
    make_unit,
)
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.jenkins import (
    CREDENTIALS,
    JAVA_HOME,
    TOOLKIT_SECRETS,
    format_environment_file,
    list_certificate_variables,
)
from bootstrap.remote.desired.jenkins import HOME as JENKINS_HOME
from bootstrap.remote.templates import render


@dataclass(frozen=True)
class Agent:
    """One agent: its name in Jenkins, as in `casc/controller.yaml`, and what belongs to it on the machine.

    The names of its resources and of its files in /etc/jenkins begin with `word`. `number` is that of its user and group; it is
    fixed as Jenkins' own is: what a build has left on a volume must not become another user's. `memory` is the percentage of
    the machine's memory that all its builds together may use; the shares of all agents, Jenkins and nginx are the whole.
    `has_role` says whether its builds may use the machine's IAM role.
    """

    node: str
    word: str
    user: str
    number: int
    memory: int
    has_role: bool

    @property
    def home(self) -> str:
        """The folder in which its builds work."""
        return f"/var/lib/{self.user}"

    @property
    def cache(self) -> str:
        """The folder in which its builds store what outlives a workspace."""
        return f"/var/cache/{self.user}"

    @property
    def secret(self) -> str:
        """The file with its secret."""
        return f"/etc/jenkins/{self.word}.secret"

    @property
    def unit(self) -> str:
        """The name of its service."""
        return f"{self.user}.service"


INFRASTRUCTURE = Agent("machine", "agent", "jenkins-agent", 871, memory=20, has_role=True)
ORDINARY = Agent("builder", "builder", "jenkins-builder", 872, memory=15, has_role=False)
AGENTS = (INFRASTRUCTURE, ORDINARY)
"""Those of a machine without groups of agents; `list_agents` has those of an environment."""

VENVS = f"{INFRASTRUCTURE.cache}/venvs"
SOCKET_OF_FACTS = "/run/inspect-machine.socket"
# Services of the machine that anybody may ask. D-Bus lists the processes of every unit with their arguments. The journal takes
# whatever is sent, until older entries, such as the audit trail, are deleted. sshd answers here without the firewall.
_SOCKETS_OF_THE_SYSTEM = ("/run/dbus", "/run/systemd/private", "/run/systemd/journal", "/run/ssh-unix-local")
TOOLKIT_USER = "toolkit"
LOCAL_URL = f"http://127.0.0.1:{JENKINS_PORT}/"
# A token before the password, for it needs no crumb. As Jenkins keeps tokens by their hashes, '11' stands before each.
SIGN_IN = ({"path": f"{TOOLKIT_SECRETS}/token", "prefix": "11"}, {"path": f"{TOOLKIT_SECRETS}/password", "prefix": ""})


def list_agents(groups: Mapping[str, AgentGroup]) -> tuple[Agent, ...]:
    """The agents on the machine of an environment with these groups: a group for the toolkit's jobs takes the place of one."""
    return (ORDINARY,) if takes_toolkit_jobs(groups) else AGENTS


def list_account_resources() -> Resources:
    """The groups and the users that builds run as; each user is in no other group, and not in Jenkins' own.

    The user of the toolkit's jobs is there without its agent, too: as this user their agents elsewhere ask the machine.
    """
    return [resource for agent in AGENTS for resource in _make_account(agent)]


def _make_account(agent: Agent) -> Resources:
    user = {
        "id": f"user {agent.user}",
        "kind": "user",
        "name": agent.user,
        "uid": agent.number,
        "group": agent.user,
        "home": agent.home,
        "shell": "/bin/bash",
    }
    return [{"id": f"group {agent.user}", "kind": "group", "name": agent.user, "gid": agent.number}, user]


def list_folder_resources() -> Resources:
    """The folders of each agent, and the one for the virtual environments of the toolkit."""
    own = [
        make_directory(path, mode="0750", owner=agent.user, group=agent.user)
        for agent in AGENTS
        for path in (agent.home, agent.cache)
    ]
    return [*own, make_directory(VENVS, mode="0755", owner=INFRASTRUCTURE.user, group=INFRASTRUCTURE.user)]


def list_configuration_resources(inputs: HostInputs) -> Resources:
    """The files that the agents read at their starts, except their secrets."""
    return [
        resource for agent in list_agents(inputs.settings.agents) for resource in _make_configuration(agent, inputs)
    ]


def _make_configuration(agent: Agent, inputs: HostInputs) -> Resources:
    environment = {"JAVA_HOME": JAVA_HOME, "LANG": "C.UTF-8", "HOME": agent.home, **list_certificate_variables(inputs)}
    content = render(
        "jenkins-agent.service",
        kind=inputs.software.kind,
        agent=agent,
        hidden=_list_hidden(agent),
        java_home=JAVA_HOME,
        url=LOCAL_URL,
        jenkins_port=JENKINS_PORT,
    )
    return [
        make_file(f"{agent.word} environment", f"/etc/jenkins/{agent.word}.env", format_environment_file(environment)),
        make_file(f"{agent.word} service file", f"/etc/systemd/system/{agent.unit}", content),
    ]


def _list_hidden(agent: Agent) -> Sequence[str]:
    """What the agent's builds do not see: what Jenkins and root keep, and the other agents' folders."""
    others = [path for other in AGENTS if other is not agent for path in (other.home, other.cache)]
    facts = [] if agent.has_role else [SOCKET_OF_FACTS, *_SOCKETS_OF_THE_SYSTEM]
    return [JENKINS_HOME, CREDENTIALS, TOOLKIT_SECRETS, *others, *facts]


def list_service_resources(inputs: HostInputs) -> Resources:
    """For each agent the secret, which a running Jenkins has, and the unit, which starts when there is a secret.

    Of an agent whose jobs run on a group, the unit ends and the files go.
    """
    present = list_agents(inputs.settings.agents)
    made = [_make_service(agent, inputs) if agent in present else _make_absence(agent) for agent in AGENTS]
    return [resource for resources in made for resource in resources]


def _make_absence(agent: Agent) -> Resources:
    """The service ends, then its files go."""
    files = {
        "secret": agent.secret,
        "service file": f"/etc/systemd/system/{agent.unit}",
        "environment": f"/etc/jenkins/{agent.word}.env",
    }
    gone = [{"id": f"{agent.word} {name}", "kind": "absent", "path": path} for name, path in files.items()]
    return [make_unit(agent.unit, enabled=False, active=False), *gone]


def _make_service(agent: Agent, inputs: HostInputs) -> Resources:
    is_emulator = inputs.software.kind == "emulator"
    causes = [f"{agent.word} environment", f"{agent.word} service file", f"{agent.word} secret"]
    causes += ["aws environment"] if agent.has_role else []
    runs_on = ["python3", "python3-aiohttp"] if is_emulator else list(JAVA_PACKAGES)
    assert not is_emulator or set(runs_on) <= {"python3", *EMULATOR_PACKAGES}
    secret = {
        "id": f"{agent.word} secret",
        "kind": "agent_secret",
        "path": agent.secret,
        "node": agent.node,
        "jenkins": {"url": LOCAL_URL, "user": TOOLKIT_USER, "secrets": list(SIGN_IN)},
    }
    restart_on = [*causes, "emulator" if is_emulator else "jenkins.war"]
    awaited = f"{agent.word} secret"
    return [secret, make_unit(agent.unit, restart_on=restart_on, timeout=300, runs_on=runs_on, awaits=awaited)]
