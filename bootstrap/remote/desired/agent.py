"""The agent on the machine: builds run here, as a user who cannot read the files of Jenkins.

Its program comes from Jenkins at each of its starts, so it always has the right version. Its secret comes from Jenkins, too,
and reaches it through a file of root's. Both need a Jenkins that runs: these resources come after jenkins.service.
"""

from __future__ import annotations

from typing import Any

from bootstrap.remote.desired.base import (
    EMULATOR_PACKAGES,
    JAVA_PACKAGES,
    JENKINS_PORT,
    Resources,
    directory,
    file,
    unit,
)
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.jenkins import HOME as JENKINS_HOME
from bootstrap.remote.desired.jenkins import JAVA_HOME, TOOLKIT_SECRETS, certificate_variables, environment_file
from bootstrap.remote.templates import render

NODE = "machine"
"""The agent's name in Jenkins, as in `casc/controller.yaml`."""

USER = "jenkins-agent"
HOME = "/var/lib/jenkins-agent"
CACHE = "/var/cache/jenkins-agent"
VENVS = f"{CACHE}/venvs"
SECRET = "/etc/jenkins/agent.secret"  # noqa: S105 -- where it lies
UNIT = "jenkins-agent.service"
# Percent of the machine's memory that all builds together may use; with the shares of Jenkins and nginx it is the whole.
MEMORY_SHARE = 35
# Fixed as Jenkins' own number is: what a build has left on a volume must not become another user's.
_NUMBER = 871
TOOLKIT_USER = "toolkit"
LOCAL_URL = f"http://127.0.0.1:{JENKINS_PORT}/"
# A token before the password, for it needs no crumb. As Jenkins keeps tokens by their hashes, '11' stands before each.
SIGN_IN = ({"path": f"{TOOLKIT_SECRETS}/token", "prefix": "11"}, {"path": f"{TOOLKIT_SECRETS}/password", "prefix": ""})


def account() -> Resources:
    """The group and the user that builds run as; the user is in no other group, and not in Jenkins' own."""
    return [
        {"id": f"group {USER}", "kind": "group", "name": USER, "gid": _NUMBER},
        {
            "id": f"user {USER}",
            "kind": "user",
            "name": USER,
            "uid": _NUMBER,
            "group": USER,
            "home": HOME,
            "shell": "/bin/bash",
        },
    ]


def folders() -> Resources:
    """The folders in which builds work, and in which they store what outlives a workspace."""
    owned = {"owner": USER, "group": USER}
    return [directory(path, mode=mode, **owned) for path, mode in ((HOME, "0750"), (CACHE, "0750"), (VENVS, "0755"))]


def configuration(inputs: HostInputs) -> Resources:
    """The files that the agent reads at its start, except its secret."""
    environment = {"JAVA_HOME": JAVA_HOME, "LANG": "C.UTF-8", "HOME": HOME, **certificate_variables(inputs)}
    content = render(
        "jenkins-agent.service",
        kind=inputs.software.kind,
        node=NODE,
        user=USER,
        home=HOME,
        cache=CACHE,
        jenkins_home=JENKINS_HOME,
        secret=SECRET,
        java_home=JAVA_HOME,
        url=LOCAL_URL,
        memory=MEMORY_SHARE,
    )
    return [
        file("agent environment", "/etc/jenkins/agent.env", environment_file(environment)),
        file("agent service file", f"/etc/systemd/system/{UNIT}", content),
    ]


def service(inputs: HostInputs) -> list[dict[str, Any]]:
    """The secret, which a running Jenkins has, and the unit, which starts when there is a secret."""
    is_emulator = inputs.software.kind == "emulator"
    causes = ["agent environment", "agent service file", "aws environment", "agent secret"]
    runs_on = ["python3", "python3-aiohttp"] if is_emulator else list(JAVA_PACKAGES)
    assert not is_emulator or set(runs_on) <= {"python3", *EMULATOR_PACKAGES}
    secret = {
        "id": "agent secret",
        "kind": "agent_secret",
        "path": SECRET,
        "node": NODE,
        "jenkins": {"url": LOCAL_URL, "user": TOOLKIT_USER, "secrets": list(SIGN_IN)},
    }
    restart_on = [*causes, "emulator" if is_emulator else "jenkins.war"]
    return [secret, unit(UNIT, restart_on=restart_on, timeout=300, runs_on=runs_on, awaits="agent secret")]
