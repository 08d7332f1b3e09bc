"""Which environments there are: with a file, without one, launched or not."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.cli.commands import environments as command
from bootstrap.cli.parser import parse
from bootstrap.environment import settings
from bootstrap.views import environments as view

FILE = "environment: {}\ncloud: {}\nowner: x\ncost_center: x\nnetwork: {{cidr: 10.{}.0.0/16}}\n"


class NoCredentialsError(Exception):
    """As botocore raises it."""


NoCredentialsError.__module__ = "botocore.exceptions"


class Aws:
    """Lists resources with these tags; refuses where there are none to list."""

    def __init__(self, *listed: Mapping[str, str]) -> None:
        self.listed = listed

    def aws(self, _: str) -> Any:
        return self

    def get_paginator(self, _: str) -> Any:
        return self

    def describe_vpcs(self, **named: Any) -> dict[str, Any]:
        assert named == {"VpcIds": ["vpc-0"]}
        return {"Vpcs": [{"VpcId": "vpc-0", "CidrBlock": "10.5.0.0/16"}]}

    def paginate(self, **named: Any) -> list[dict[str, Any]]:
        if not self.listed:
            raise NoCredentialsError("Unable to locate credentials")
        assert {"Key": "ManagedBy", "Values": ["jenkins-bootstrap"]} in named["TagFilters"]
        return [
            {
                "ResourceTagMappingList": [
                    {
                        "ResourceARN": f"arn:aws:ec2:eu-central-1:1:vpc/vpc-{number}",
                        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                    }
                    for number, tags in enumerate(self.listed)
                ]
            }
        ]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two environments; the account has what a test says."""
    monkeypatch.setattr(view, "PROJECT", tmp_path)
    (tmp_path / "environments").mkdir()
    (tmp_path / ".bootstrap").mkdir()
    for name, cloud, octet in (("here", "local", 1), ("there", "aws", 2)):
        (tmp_path / "environments" / f"{name}.yaml").write_text(FILE.format(name, cloud, octet))
    return tmp_path


def look(checkout: Path, monkeypatch: pytest.MonkeyPatch, *listed: Mapping[str, str]) -> view.Found:
    monkeypatch.setattr(view, "World", lambda *_, **__: Aws(*listed))
    return view.find_environments(checkout / "environments", checkout / ".bootstrap")


def of(name: str, **more: str) -> dict[str, str]:
    return {"Project": "jenkins", "Environment": name, "Owner": "ops@example.org", "CostCenter": "lab 7"} | more


def test_files_are_listed_with_what_exists_of_them(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(checkout, monkeypatch, of("there"), of("there"))
    assert found.rows == [
        view.Row("here", "here.yaml", "this machine", "not launched"),
        view.Row("there", "there.yaml", "AWS eu-central-1", "2 resources"),
    ]
    assert not found.orphans
    (checkout / ".bootstrap" / "here" / "cloud").mkdir(parents=True)
    assert look(checkout, monkeypatch, of("x")).rows[0].state == "launched; its local cloud does not run"


def test_an_environment_of_another_project_is_not_this_one(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(checkout, monkeypatch, of("there", Project="other"))
    assert ["not launched", "1 resource"] == [row.state for row in found.rows if row.name == "there"]


def test_an_account_that_cannot_be_asked_is_told_and_hides_nothing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = look(checkout, monkeypatch)
    assert ["not launched", "not known"] == [row.state for row in found.rows]
    assert ["AWS eu-central-1: NoCredentialsError: Unable to locate credentials"] == found.unasked


def test_an_environment_without_a_file_can_be_destroyed_with_the_file_that_is_printed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (orphan,) = look(checkout, monkeypatch, of("gone", Project="ci")).orphans
    told = command._explain(orphan)
    (checkout / "environments" / "gone.yaml").write_text(orphan.format_file())
    chosen = settings.load(checkout / "environments" / "gone.yaml")
    assert ("gone", "ci", "aws", "lab 7") == (chosen.name, chosen.project, chosen.cloud, chosen.cost_center)
    assert chosen.network.cidr == "10.5.0.0/16"
    assert "./bootstrap.py -e gone destroy" in told
    assert "with the values that it was launched with" in told


def test_what_others_wrote_into_tags_stays_a_value_and_one_word_of_the_shell(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "it's: {a} # b\nprotect: true"
    (orphan,) = look(checkout, monkeypatch, of("gone; touch x", Owner=hostile, CostCenter="true")).orphans
    told = command._explain(orphan)

    loaded = yaml.safe_load(orphan.format_file())
    assert (hostile, "true", "gone; touch x") == (loaded["owner"], loaded["cost_center"], loaded["environment"])
    assert "protect" not in loaded
    line = next(line for line in told.splitlines() if line.endswith("destroy"))
    assert ["-e", "gone; touch x", "destroy"] == shlex.split(line)[-3:]


def test_the_file_of_an_environment_that_git_remembers_is_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        options = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.run(
            ["git", *options, *arguments], cwd=checkout, check=True, capture_output=True, text=True
        ).stdout

    file = checkout / "environments" / "here.yaml"
    git("init", "--quiet")
    git("add", "environments")
    git("commit", "--quiet", "-m", "one")
    file.write_text(file.read_text().replace("environment: here", "environment: renamed"))
    git("commit", "--quiet", "-a", "-m", "two")
    (checkout / ".bootstrap" / "here" / "cloud").mkdir(parents=True)

    (orphan,) = look(checkout, monkeypatch, of("there")).orphans
    command_line = command._explain(orphan).split("get its file back: ")[1].splitlines()[0]
    subprocess.run(["sh", "-c", command_line], cwd=checkout, check=True)

    assert settings.load(file).name == "here"


def test_a_file_with_faults_is_a_row(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "environments" / "bad.yaml").write_text("environment: [\n")
    (row,) = [row for row in look(checkout, monkeypatch, of("there")).rows if row.name == "bad"]
    assert "bad.yaml:" in row.state and "the file has faults" in row.state


def test_what_another_user_launched_is_said_to_be_theirs(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / ".bootstrap" / "here" / "cloud").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 12345)
    rows = {row.name: row.state for row in look(checkout, monkeypatch, of("there")).rows}
    assert rows["here"].startswith("launched by ")


def test_the_command_lists_without_an_action() -> None:
    assert parse(["environments"]).action == parse(["environments", "list"]).action == "list"


def test_a_former_file_is_found_whatever_the_users_git_configuration_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "environments" / "lab.yaml"
    path.parent.mkdir()
    path.write_text("environment: lab\ncloud: local\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@localhost"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["rm", "-q", str(path)]):
        subprocess.run([*git, *arguments], check=True)
    subprocess.run([*git, "commit", "-qm", "two"], check=True)
    (tmp_path / "gitconfig").write_text(
        '[color]\n  ui = always\n[log]\n  showSignature = true\n[diff "it"]\n  textconv = wc\n'
    )
    (tmp_path / ".git" / "info" / "attributes").write_text("*.yaml diff=it\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setattr(view, "PROJECT", tmp_path)

    commit, file = view.find_former_file("lab") or ("", "")

    assert ("environments/lab.yaml", True) == (file, commit.endswith("^"))
