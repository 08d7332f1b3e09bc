"""Agents in the desired state: their secrets, their sandboxes, and what of the machine their builds see."""

import re
from typing import Any

import pytest
from wished import EMULATOR, WAR, inputs

from bootstrap.remote.desired.agent import AGENTS
from tests.unit.remote.desired_units import by_id, settings_of, unit


@pytest.mark.parametrize(("word", "node"), [("agent", "machine"), ("builder", "builder")])
def test_an_agents_secret_reaches_it_through_systemd_alone(
    wished: dict[str, dict[str, Any]], word: str, node: str
) -> None:
    service = wished[f"{word} service file"]["content"].splitlines()
    assert f"LoadCredential=secret:/etc/jenkins/{word}.secret" in service
    (command,) = [line for line in service if line.startswith("ExecStart=")]
    assert f" -name {node} -secret @%d/secret " in command
    secret = wished[f"{word} secret"]
    assert ("agent_secret", node, f"/etc/jenkins/{word}.secret") == (secret["kind"], secret["node"], secret["path"])


def test_builds_are_in_no_group_of_others_and_see_nothing_of_their_folders(wished: dict[str, dict[str, Any]]) -> None:
    users = {name: wished[f"user {name}"] for name in ("jenkins", "jenkins-agent", "jenkins-builder")}
    assert 3 == len({user["uid"] for user in users.values()}) == len({wished[f"group {name}"]["gid"] for name in users})
    assert all((name, f"/var/lib/{name}") == (user["group"], user["home"]) for name, user in users.items())
    kept = {"-/var/lib/jenkins", "-/etc/jenkins/credentials", "-/etc/bootstrap/toolkit"}
    for word, other in (("agent", "jenkins-builder"), ("builder", "jenkins-agent")):
        service = unit(wished, f"{word} service file")["Service"]
        assert "SupplementaryGroups" not in service
        hidden = {*kept, f"-/var/lib/{other}", f"-/var/cache/{other}"}
        system = {f"-/run/{name}" for name in ("dbus", "systemd/private", "systemd/journal", "ssh-unix-local")}
        asked = {"-/run/inspect-machine.socket", *system} if word == "builder" else set()
        assert hidden | asked == set(service["InaccessiblePaths"].split())


def test_jenkins_ends_every_agent_if_its_port_is_taken(wished: dict[str, dict[str, Any]]) -> None:
    (line,) = re.findall("ExecStartPre=(.*)", wished["jenkins.service file"]["content"])
    units = " ".join(agent.unit for agent in AGENTS)
    assert line.startswith("-+/bin/sh -c 'if ss ") and "sport = :8080 " in line
    assert f"systemctl stop {units}; systemctl --no-block start {units}; fi'" in line


def test_an_agents_sandbox_is_the_same_for_ordinary_builds(wished: dict[str, dict[str, Any]]) -> None:
    own, ordinary = (dict(unit(wished, f"{word} service file")["Service"]) for word in ("agent", "builder"))
    named = {"user", "group", "workingdirectory", "environmentfile", "loadcredential", "execstartpre", "execstart"}
    different = {key.lower() for key in own if own[key] != ordinary[key]}
    assert {"TemporaryFileSystem", "SocketBindDeny"} == ordinary.keys() - own.keys()
    assert own.keys() <= ordinary.keys()
    assert different == {*named, "readwritepaths", "inaccessiblepaths", "memorymax"}


def test_no_ordinary_build_runs_without_the_firewall_or_knows_how_to_reach_aws(
    wished: dict[str, dict[str, Any]],
) -> None:
    text = wished["builder service file"]["content"]
    needs = unit(wished, "builder service file")["Unit"]
    assert "nftables.service" == needs["Requires"]
    assert {"After=jenkins.service network-online.target", "After=nftables.service"} <= set(text.splitlines())
    assert "aws.env" not in text and "aws environment" not in wished["jenkins-builder.service"]["restart_on"]
    assert "EnvironmentFile=/etc/bootstrap/aws.env" in wished["agent service file"]["content"]
    # What needs no rule does not stop with it.
    assert "nftables" not in wished["agent service file"]["content"]


@pytest.mark.parametrize(("word", "user"), [("agent", "jenkins-agent"), ("builder", "jenkins-builder")])
@pytest.mark.parametrize(("software", "program"), [(EMULATOR, "/usr/bin/python3 "), (WAR, "/usr/lib/jvm/")])
def test_an_agents_program_comes_from_jenkins_at_each_start(software: Any, program: str, word: str, user: str) -> None:
    service = unit(by_id(inputs(software=software)), f"{word} service file")["Service"]
    jar = f"/var/cache/{user}/agent.jar"
    assert f"--output {jar} http://127.0.0.1:8080/jnlpJars/agent.jar" in service["ExecStartPre"]
    assert service["ExecStart"].startswith(program) and f" {jar} -url http://127.0.0.1:8080/ " in service["ExecStart"]
    assert "-webSocket" in service["ExecStart"]


@pytest.mark.parametrize(
    ("word", "name", "also"), [("agent", "jenkins-agent", {"aws environment"}), ("builder", "jenkins-builder", set())]
)
def test_an_agent_comes_after_jenkins_and_restarts_for_what_it_reads(word: str, name: str, also: set[str]) -> None:
    resources = by_id(inputs(software=WAR))
    order = list(resources)
    assert order.index("jenkins.service") < order.index(f"{word} secret") < order.index(f"{name}.service")
    assert order.index("firewall") < order.index(f"{name}.service")
    service = resources[f"{name}.service"]
    expected = {f"{word} environment", f"{word} service file", f"{word} secret", "jenkins.war"}
    assert (expected | also, f"{word} secret") == (set(service["restart_on"]), service["awaits"])


def test_builds_ask_for_facts_through_a_socket_because_they_cannot_become_root(
    wished: dict[str, dict[str, Any]],
) -> None:
    socket = settings_of(wished["inspector socket"]["content"])["Socket"]
    assert ("0660", "jenkins-agent", "yes") == (socket["SocketMode"], socket["SocketGroup"], socket["Accept"])
    service = settings_of(wished["inspector service"]["content"])["Service"]
    assert (wished["inspector"]["path"], "null") == (service["ExecStart"], service["StandardInput"])
    assert "0755" == wished["inspector"]["mode"]
