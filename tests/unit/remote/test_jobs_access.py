"""How agents of the toolkit's jobs reach the machine: one key, one program, the questions that it answers, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wished import EMULATOR, inputs

from bootstrap.environment.agents import AgentGroup
from bootstrap.preconditions.agent_groups import list_jobs_commands
from bootstrap.remote.desired import jobs_access
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.templates import read_text
from tests.unit.remote.desired_units import by_id

KEY = "ssh-ed25519 AAAA"


def make_inputs(**changes: Any) -> HostInputs:
    settings = inputs().settings.model_copy(update={"agents": {"infrastructure": AgentGroup()}})
    given: dict[str, Any] = {"settings": settings, "jobs_key": KEY, "jobs_commands": list_jobs_commands()}
    return inputs(**(given | {"software": EMULATOR} | changes))


@pytest.fixture
def with_group() -> dict[str, dict[str, Any]]:
    return by_id(make_inputs())


def test_without_the_group_nothing_of_it_is_on_the_machine() -> None:
    wished = by_id(inputs(software=EMULATOR))

    for name in ("program for jobs", "answers for jobs", "world for jobs", "limits for jobs", "key of jobs"):
        assert "absent" == wished[name]["kind"]
    assert "jenkins-agent" not in wished["sshd settings"]["content"]


def test_the_key_opens_one_program_and_jenkins_port(with_group: dict[str, dict[str, Any]]) -> None:
    assert f"restrict,port-forwarding {KEY} jobs\n" == with_group["key of jobs"]["content"]
    _, _, block = with_group["sshd settings"]["content"].partition("Match User jenkins-agent\n")
    assert {
        "AuthorizedKeysFile /etc/ssh/jobs_keys",
        "ForceCommand /usr/local/sbin/answer-jobs",
        "PermitOpen 127.0.0.1:8080",
        "PermitTTY no",
        "PermitUserRC no",
    } == {line.strip() for line in block.splitlines()}
    assert with_group["program for jobs"]["path"] == jobs_access.PROGRAM


def test_the_toolkits_jobs_have_no_agent_on_the_machine_then(with_group: dict[str, dict[str, Any]]) -> None:
    unit = with_group["jenkins-agent.service"]
    assert (False, False) == (unit["enabled"], unit["active"])
    for name in ("agent secret", "agent service file", "agent environment"):
        assert "absent" == with_group[name]["kind"]
    order = list(with_group)
    assert order.index("jenkins-agent.service") < order.index("agent service file"), "the unit ends first"
    assert "systemctl stop jenkins-builder.service;" in with_group["jenkins.service file"]["content"]
    assert "unit" == with_group["jenkins-builder.service"]["kind"]


def test_what_may_hold_a_password_is_closed(with_group: dict[str, dict[str, Any]]) -> None:
    world = with_group["world for jobs"]
    assert ("root", "jenkins-agent", "0640", True) == tuple(world[it] for it in ("owner", "group", "mode", "secret"))


def answer(tmp_path: Path, question: str | None, answers: dict[str, list[str]]) -> subprocess.CompletedProcess[str]:
    """What the program says to a question."""
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    program = read_text("answer_jobs.py").replace(jobs_access.ANSWERS, str(tmp_path / "answers.json"))
    (tmp_path / "answer").write_text(program)
    environ = {"PATH": "/usr/bin:/bin"} | ({} if question is None else {"SSH_ORIGINAL_COMMAND": question})
    command = [sys.executable, "-IS", str(tmp_path / "answer")]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)


def test_a_listed_question_is_answered_with_its_command(tmp_path: Path) -> None:
    done = answer(tmp_path, "ask  this", {"ask  this": ["sh", "-c", "echo 'a  b'"]})

    assert (0, "a  b\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize(
    "question", [None, "", "sh", "bash -i", "world; id", "world\nid", " world", "git-upload-pack '/etc'", "world id"]
)
def test_every_other_word_is_refused(tmp_path: Path, question: str | None) -> None:
    done = answer(tmp_path, question, {"world": ["echo", "the world"]})

    assert (1, "") == (done.returncode, done.stdout)
    assert "opens only what the last launch listed" in done.stderr


def test_the_questions_are_those_that_the_toolkit_asks(with_group: dict[str, dict[str, Any]]) -> None:
    answers = json.loads(with_group["answers for jobs"]["content"])

    assert ["cat", "/etc/bootstrap/jobs-world.sh"] == answers.pop("world")
    assert ["git-upload-pack", "/srv/git/toolkit.git"] == answers.pop("git-upload-pack '/srv/git/toolkit.git'")
    assert [list(it) for it in list_jobs_commands()] == sorted(answers.values(), key=lambda it: _place(tuple(it)))
    assert not any("sudo" in word for command in answers.values() for word in command)


def _place(command: tuple[str, ...]) -> int:
    return list_jobs_commands().index(command)


def read_world(tmp_path: Path, **changes: Any) -> dict[str, str]:
    """The variables of a shell on an agent that has read its world; its home is in `tmp_path`."""
    text = by_id(make_inputs(**changes))["world for jobs"]["content"]
    (tmp_path / "controller").mkdir()
    (tmp_path / "controller" / "known_hosts").write_text("10.1.2.3 ssh-ed25519 BBBB\n")
    (tmp_path / "controller" / "world").write_text(text)
    command = ["sh", "-euc", ". ~/controller/world; env -0"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_an_agent_has_the_world_of_the_machine(tmp_path: Path) -> None:
    pip = "[global]\nindex-url = https://user:$secret@index.example/\n"
    variables = read_world(tmp_path, pip_configuration=pip, aws_environment={"AWS_REGION": "it's one"})

    assert "it's one" == variables["AWS_REGION"]
    assert str(tmp_path / "controller") == variables["BOOTSTRAP_CONTROLLER"]
    assert pip == Path(variables["PIP_CONFIG_FILE"]).read_text()
    assert 0o600 == Path(variables["PIP_CONFIG_FILE"]).stat().st_mode & 0o777
    settings = json.loads((tmp_path / "controller" / "settings.json").read_text())
    assert {"environment": make_inputs().settings.name} == settings
    assert "HostName 10.1.2.3\n" in (tmp_path / ".ssh" / "config").read_text()
    assert "StrictHostKeyChecking yes\n" in (tmp_path / ".ssh" / "config").read_text()


def test_git_reaches_the_repository_of_the_machine_by_ssh_alone(tmp_path: Path) -> None:
    read_world(tmp_path)
    command = ["git", "ls-remote", "--get-url", "file:///srv/git/toolkit.git"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=True)

    assert "ssh://controller/srv/git/toolkit.git" == done.stdout.strip()


def test_a_repository_elsewhere_is_not_served(tmp_path: Path) -> None:
    read_world(tmp_path, toolkit=None)

    assert not (tmp_path / ".gitconfig").exists()
    assert not any("git-upload-pack" in it for it in jobs_access.list_answers(make_inputs(toolkit=None)))
