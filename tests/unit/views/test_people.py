"""Who has access where: people of the file, and what is left of others."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from bootstrap.environment import settings
from bootstrap.errors import Unreachable
from bootstrap.jenkins.definitions.people import DESCRIPTION
from bootstrap.views import people
from bootstrap.views.drift import detection

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
ONE = "arn:aws:iam::111122223333:user/one"
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

    def __init__(self, trusted: Any) -> None:
        self.principal = {"AWS": trusted} if isinstance(trusted, str) and trusted != "*" else trusted

    def get_role(self, **_: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": self.principal}
        return {"Role": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}


def context(tmp_path: Path, keys: str, accounts: Mapping[str, str], trusted: Any, *, fails: bool = False) -> Any:
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
    monkeypatch.setattr(people.account_record, "read", lambda _: frozenset())
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


@pytest.mark.parametrize(
    ("principal", "left"),
    [
        ("*", {"*"}),
        ({"AWS": "*"}, {"*"}),
        ({"Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"]}, {"ec2.amazonaws.com", "ssm.amazonaws.com"}),
        (
            {"AWS": [ONE], "Federated": "arn:aws:iam::111122223333:saml-provider/x"},
            {"arn:aws:iam::111122223333:saml-provider/x"},
        ),
    ],
    ids=["everybody", "every identity", "services", "a provider"],
)
def test_principals_of_every_kind_are_seen(principal: Any, left: set[str], tmp_path: Path) -> None:
    found = people.read_access(context(tmp_path, "", {}, principal))

    assert {} == found.unseen
    assert left == {person.name for person in found.people if "aws" in person.left}
    assert {"*"} == set(people.list_principals({"Effect": "Allow", "NotPrincipal": {"AWS": ONE}}))


def test_a_person_whom_another_role_trusts_has_not_the_own_one(tmp_path: Path) -> None:
    opened = context(tmp_path, "", {}, ONE)
    opened.stacks["people"].outputs = {"AuditorRoleArn": "arn:aws:iam::111122223333:role/auditor"}

    found = {it.name: it for it in people.read_access(opened).people}

    assert ("not yet", ("aws",)) == (found["operator-one"].places["aws"], found[ONE].left)


def test_a_refusal_of_aws_makes_a_place_unknown_and_drift_says_so(tmp_path: Path) -> None:
    opened = context(tmp_path, "", {}, ONE)
    opened.tool = "./bootstrap.py"
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetSecretValue")
    opened.world.aws("secretsmanager").get_secret_value = Mock(side_effect=refused)

    found = people.read_access(opened)
    drift = detection._of_people(opened, opened.tool)

    assert ["password"] == list(found.unseen)
    assert {"unknown"} == {person.places["password"] for person in found.people}
    assert [("password", True)] == [(it.name, it.is_unseen) for it in drift]
    opened.world.is_on_machine = True
    assert [] == detection._of_people(opened, opened.tool)


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
