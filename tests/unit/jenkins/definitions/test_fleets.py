"""The groups of agents as settings of Jenkins: credentials in the files, and the document of the clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.acts import casc
from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.people import Person
from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions import fleets
from bootstrap.jenkins.definitions.fleets import Fleet, add_credentials, make_clouds
from bootstrap.jenkins.definitions.people import add_people

ROOT = Path(__file__).resolve().parents[4]
GROUPS = {"linux": AgentGroup(), "big-arm": AgentGroup(instance_types=("t4g.large",))}
LIST = "credentials: {system: {domainCredentials: %s}}\n"


def read_domains(files: dict[str, str]) -> Any:
    (domains,) = [
        document["credentials"]["system"]["domainCredentials"]
        for document in map(yaml.safe_load, files.values())
        if "credentials" in document
    ]
    return domains


def list_ids(credentials: list[dict[str, dict[str, str]]]) -> list[str]:
    return [content["id"] for credential in credentials for content in credential.values()]


def test_without_groups_nothing_changes() -> None:
    files = {"a.yaml": "jenkins: {}\n"}

    assert files == add_credentials(files, {})
    assert "" == make_clouds({}, {})


def test_the_files_of_the_toolkit_with_groups_are_good_and_else_the_same(tmp_path: Path) -> None:
    files = casc.read(ROOT / "casc")
    changed = add_credentials(files, GROUPS)

    for name, text in changed.items():
        (tmp_path / name).write_text(text)
    assert changed == casc.read(tmp_path, own=fleets.list_secret_names(GROUPS))
    assert ["credentials.yaml"] == [name for name in files if files[name] != changed[name]]
    (domain,) = read_domains(changed)
    assert ["mail", "agents-linux", "agents-big-arm"] == list_ids(domain["credentials"])
    assert {
        "id": "agents-big-arm",
        "scope": "SYSTEM",
        "description": "The login on the agents 'big-arm'",
        "username": "jenkins",
        "privateKeySource": {"directEntry": {"privateKey": "${AGENTS_BIG_ARM_KEY}"}},
    } == domain["credentials"][2]["basicSSHUserPrivateKey"]


def test_people_and_groups_come_into_the_same_files() -> None:
    person = Person(name="A", email="a@example.org", role="developer")
    files = add_people(casc.read(ROOT / "casc"), {"first": person})

    assert "agents-linux" in add_credentials(files, GROUPS)["credentials.yaml"]


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ("[]", [["agents-linux", "agents-big-arm"]]),
        ("[{credentials: [{string: {id: own}}]}]", [["own", "agents-linux", "agents-big-arm"]]),
        (
            "[{domain: {name: hosts}, credentials: [{string: {id: own}}]}]",
            [["own"], ["agents-linux", "agents-big-arm"]],
        ),
    ],
)
def test_the_credentials_belong_to_no_domain(domains: str, expected: list[list[str]]) -> None:
    """A domain is a set of hosts, of which agents are none: the plugin would not find a credential there."""
    found = read_domains(add_credentials({"a.yaml": LIST % domains}, GROUPS))

    assert expected == [list_ids(domain["credentials"]) for domain in found]


def test_without_a_list_of_credentials_groups_are_refused() -> None:
    with pytest.raises(CascRejected, match="agents have no credentials"):
        add_credentials({"a.yaml": "jenkins: {}\n"}, GROUPS)


def test_files_with_clouds_of_their_own_are_refused_with_the_place() -> None:
    files = {"a.yaml": LIST % "[]", "b.yaml": "jenkins:\n  clouds:\n    - kubernetes: {}\n"}

    with pytest.raises(CascRejected) as caught:
        add_credentials(files, GROUPS)

    assert ["casc/b.yaml:3:5"] == [f"{it.file}:{it.line}:{it.column}" for it in caught.value.faults]
    assert files == add_credentials(files, {})


def test_each_group_is_a_cloud() -> None:
    """The document is the one that was run in a real Jenkins, with the values of the group."""
    group = AgentGroup(minimum=1, maximum=3, spare=2, uses=4, idle_minutes=7, exclusive=False)
    (cloud,) = yaml.safe_load(make_clouds({"no": group}, {"no": Fleet("x-y-agents-no", "ssh-ed25519 AAAA")}))[
        "jenkins"
    ]["clouds"]

    assert {
        "eC2Fleet": {
            "name": "no",
            "fleet": "x-y-agents-no",
            "labelString": "no",
            "computerConnector": {
                "sshConnector": {
                    "credentialsId": "agents-no",
                    "port": 22,
                    "launchTimeoutSeconds": 60,
                    "maxNumRetries": 0,
                    "retryWaitTime": 5,
                    "prefixStartSlaveCmd": "cloud-init status --wait >/dev/null || echo 'cloud-init of this instance ended "
                    "with errors; packages may be missing: /var/log/cloud-init-output.log' >&2; ",
                    "sshHostKeyVerificationStrategy": {
                        "manuallyProvidedKeyVerificationStrategy": {"key": "ssh-ed25519 AAAA"}
                    },
                }
            },
            "privateIpUsed": True,
            "fsRoot": "/home/jenkins/agent",
            "numExecutors": 1,
            "minSize": 1,
            "maxSize": 3,
            "minSpareSize": 2,
            "maxTotalUses": 4,
            "idleMinutes": 7,
            "restrictUsage": False,
            "noDelayProvision": True,
            "alwaysReconnect": True,
            "disableTaskResubmit": True,
            "initOnlineTimeoutSec": 900,
            "initOnlineCheckIntervalSec": 5,
            "cloudStatusIntervalSec": 5,
        }
    } == cloud


def test_no_limit_of_uses_is_the_plugins_minus_one() -> None:
    clouds = yaml.safe_load(make_clouds(GROUPS, {name: Fleet(name, "k") for name in GROUPS}))["jenkins"]["clouds"]

    assert [-1, -1] == [cloud["eC2Fleet"]["maxTotalUses"] for cloud in clouds]
    assert ["linux", "big-arm"] == [cloud["eC2Fleet"]["name"] for cloud in clouds]


def test_a_group_that_does_not_exist_has_no_cloud() -> None:
    with pytest.raises(KeyError):
        make_clouds(GROUPS, {"linux": Fleet("linux", "k")})


def test_only_the_agents_of_the_toolkits_jobs_ask_the_machine_before_they_start() -> None:
    groups = {"infrastructure": AgentGroup(), "linux": AgentGroup()}
    door = fleets.Door("10.1.2.3", "ssh-ed25519 BBBB")
    clouds = yaml.safe_load(make_clouds(groups, {name: Fleet(name, "k") for name in groups}, door))["jenkins"]["clouds"]
    starts = [it["eC2Fleet"]["computerConnector"]["sshConnector"]["prefixStartSlaveCmd"] for it in clouds]

    assert starts[1].startswith("cloud-init status --wait") and "ssh" not in starts[1]
    assert "echo '10.1.2.3 ssh-ed25519 BBBB' > ~/controller/known_hosts" in starts[0]
    assert "StrictHostKeyChecking=yes" in starts[0] and "jenkins-agent@10.1.2.3 world" in starts[0]
    assert starts[0].endswith("&& . ~/controller/world && "), "an agent without its world does not start"
    assert "${" not in starts[0], "Jenkins would take it for a variable of its settings"
