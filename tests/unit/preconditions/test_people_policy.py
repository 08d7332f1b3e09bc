"""The operator's policy in the template of the roles for people: the key of this environment alone."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import yaml

from bootstrap.acts.stack import StackTemplate
from bootstrap.cli import parser
from bootstrap.cli.commands import doctor
from bootstrap.environment.models import Settings
from bootstrap.errors import StackMissing
from bootstrap.preconditions import iam_policies, launcher_policy, people_policy, required_actions, stack_inputs

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings(environment="trial", cloud="aws", owner="a", cost_center="b")


class Loader(yaml.SafeLoader):
    """Reads the tags of CloudFormation as if they were not there."""


Loader.add_multi_constructor("!", lambda *_: None)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (
            {"KeyPairId": "key-0123456789abcdef0"},
            [
                [
                    "arn:aws:ssm:eu-central-1:*:parameter/ec2/keypair/key-0123456789abcdef0",
                    "arn:aws:ssm:eu-central-1:*:parameter/ec2/keypair/key-0fedcba9876543210",
                ]
            ],
        ),
        (None, []),
    ],
    ids=["a key pair", "none yet"],
)
def test_an_operator_reads_the_key_of_the_own_environment_alone(
    outputs: Mapping[str, str] | None, expected: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = required_actions.Needs(frozenset({"ssm:GetParameter", "ec2:DescribeVpcs"}), frozenset(), frozenset())
    template = StackTemplate("jenkins-trial-people", ROOT / "cloudformation" / "people.yaml", {}, {}, ())
    monkeypatch.setattr(stack_inputs, "make_template", lambda *_: template)
    monkeypatch.setattr(
        launcher_policy, "make_operator_policy", lambda _: iam_policies.make_operator_policy(SETTINGS, needs)
    )
    agents = SimpleNamespace(outputs={"ClientKeyPairId": "key-0fedcba9876543210", "HostKeyPairId": "key-0000"})
    existing = {"data": SimpleNamespace(outputs=outputs), "agents-linux": agents} if outputs is not None else {}
    context: Any = SimpleNamespace(state=tmp_path)

    made = people_policy.gather_template(context, "people", existing, {})  # type: ignore[arg-type]

    role = Loader(made.path.read_text()).get_single_data()["Resources"]["Operator"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    keys = [it["Resource"] for it in statements if "keypair" in str(it["Resource"])]
    assert expected == keys
    assert "Look" in [it["Sid"] for it in statements]


def test_doctor_names_the_key_pairs_that_exist_if_it_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the operator's policy: the launcher may make other key pairs."""
    needs = required_actions.Needs(frozenset({"ssm:GetParameter", "ec2:DescribeVpcs"}), frozenset(), frozenset())
    monkeypatch.setattr(
        launcher_policy, "make_operator_policy", lambda _: iam_policies.make_operator_policy(SETTINGS, needs)
    )
    opened: Any = SimpleNamespace(stacks={"data": SimpleNamespace(outputs={"KeyPairId": "key-0123"})}, outputs=Mock())

    def list_keys(*, asks: bool) -> list[Any]:
        statements = doctor._make_operator_policy(opened, asks=asks)["Statement"]
        return [it["Resource"] for it in statements if it["Sid"] == "LoginKey"]

    folder = "arn:aws:ssm:eu-central-1:*:parameter/ec2/keypair"
    assert [f"{folder}/*"] == list_keys(asks=False)
    assert [[f"{folder}/key-0123"]] == list_keys(asks=True)
    opened.outputs = Mock(side_effect=StackMissing("reading", "there is none", "Launch."))
    with pytest.raises(StackMissing):
        doctor._make_operator_policy(opened, asks=True)


def test_existing_belongs_to_policy() -> None:
    assert 2 == parser.main(["doctor", "--existing"])
