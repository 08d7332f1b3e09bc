"""Who has access where: people of the file, and what is left of others."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.environment import settings
from bootstrap.errors import Unreachable
from bootstrap.jenkins.definitions.people import DESCRIPTION
from bootstrap.views import people

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
TEXT = f"""\
environment: trial
cloud: aws
owner: someone
cost_center: lab
people:
  operator-one:
    {{name: A, email: a@example.org, role: operator, ssh_keys: ["{KEY}"], aws: "arn:aws:iam::111122223333:user/one"}}
  auditor-two: {{name: B, email: b@example.org, role: auditor}}
"""
LOCAL = "jenkins: {securityRealm: {local: {users: [{id: admin}, {id: operator-one}, {id: auditor-two}]}}}\n"


class Shell:
    def __init__(self, keys: str, fails: bool = False) -> None:
        self.keys, self.fails = keys, fails

    def run(self, command: list[str], **_: Any) -> SimpleNamespace:
        if self.fails:
            raise Unreachable("asking the machine", "no answer\nat all", "wait")
        return SimpleNamespace(stdout=self.keys, exit_code=0)


class Iam:
    """Knows one role, which trusts one principal."""

    exceptions = SimpleNamespace(ClientError=RuntimeError)

    def __init__(self, trusted: str) -> None:
        self.trusted = trusted

    def get_role(self, **_: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": {"AWS": self.trusted}}
        return {"Role": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}


def context(tmp_path: Path, keys: str, accounts: Mapping[str, str], trusted: str, *, fails: bool = False) -> Any:
    path = tmp_path / "trial.yaml"
    path.write_text(TEXT)
    clients = {
        "iam": Iam(trusted),
        "secretsmanager": SimpleNamespace(
            get_secret_value=lambda **_: {"SecretString": '{"operator-one": "x", "old": "y"}'}
        ),
    }
    users = "".join(f"      - id: {name}\n        description: {text!r}\n" for name, text in accounts.items())
    return SimpleNamespace(
        settings=settings.load(path),
        casc_files={"access.yaml": LOCAL},
        shell=Shell(keys, fails),
        jenkins=SimpleNamespace(text=f"jenkins:\n  securityRealm:\n    local:\n      users:\n{users}"),
        stacks={"people": SimpleNamespace(outputs={"OperatorRoleArn": "arn:aws:iam::111122223333:role/operator"})},
        outputs=lambda _: {"PeopleSecret": "arn"},
        world=SimpleNamespace(aws=clients.__getitem__, is_on_machine=False),
    )


@pytest.fixture(autouse=True)
def exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people.casc, "export", lambda jenkins: jenkins.text)
    monkeypatch.setattr(people.casc, "read_stored_settings", lambda *_, **__: SimpleNamespace(exported=None))


def test_each_place_says_who_has_access_and_who_should(tmp_path: Path) -> None:
    keys = (
        f'admin {KEY} operator-one\ngit restrict,command="x" {KEY} operator-one\ngit restrict,command="x" {KEY} old\n'
    )
    accounts = {"admin": "", "operator-one": DESCRIPTION, "old": DESCRIPTION, "by-hand": ""}

    found = people.read_access(context(tmp_path, keys, accounts, "arn:aws:iam::111122223333:user/one"))

    assert {} == found.unseen
    assert {
        "operator-one": ["yes", "yes", "yes", "yes", "yes"],
        "auditor-two": ["not yet", "not yet", "-", "-", "-"],
        "old": ["left over", "left over", "left over", "-", "-"],
    } == {person.name: [person.places[place] for place in people.PLACES] for person in found.people}
    assert ("jenkins", "password", "git") == found.people[-1].left


def test_a_principal_of_nobody_is_left_over(tmp_path: Path) -> None:
    other = "arn:aws:iam::111122223333:user/other"
    found = {it.name: it for it in people.read_access(context(tmp_path, "", {}, other)).people}

    assert ("aws",) == found[other].left
    assert "not yet" == found["operator-one"].places["aws"]


def test_a_place_that_does_not_answer_is_unknown(tmp_path: Path) -> None:
    found = people.read_access(context(tmp_path, "", {}, "arn:aws:iam::111122223333:user/one", fails=True))

    assert {"git": "no answer", "machine": "no answer"} == found.unseen
    assert {"unknown"} == {person.places[place] for person in found.people for place in ("git", "machine")}


def test_a_job_looks_at_jenkins_alone(tmp_path: Path) -> None:
    made = context(tmp_path, "", {"operator-one": DESCRIPTION}, "x")
    made.world.is_on_machine = True

    found = people.read_access(made)

    assert set(people.PLACES) - {"jenkins"} == set(found.unseen)
    assert ["operator-one", "auditor-two"] == [person.name for person in found.people]
