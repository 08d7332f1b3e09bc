"""The roles for people, in the local cloud: whom they trust, and what each of them may do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bootstrap import launch
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.local.aws.access.second_factor import compute_code
from bootstrap.preconditions import host_inputs, launcher_policy
from bootstrap.runs.journal import start
from bootstrap.views import people as view
from tests.aws.conftest import Cloud

ACCOUNT = "123456789012"
SSO = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_auditors_0123456789abcdef"
HEAD = "environment: peopled\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: 10.67.0.0/16\n"
PERSON = "  first-{0}: {{name: First, email: first@example.org, role: {0}, aws: '{1}'}}\n"
USERS = {role: f"arn:aws:iam::{ACCOUNT}:user/first-{role}" for role in ("operator", "developer")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def opened(module_cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Context]:
    """Opens the environment with these people in its file."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    for name, value in module_cloud.keys.items():
        monkeypatch.setenv(name.upper(), value)

    def run(people: str) -> Context:
        path = folder / "peopled.yaml"
        path.write_text(f"{HEAD}people:\n{people}" if people else HEAD)
        made = Context(path, settings.load(path), module_cloud.endpoint)
        made.state = folder / "state"
        return made

    return run


@pytest.fixture(scope="module")
def users(module_cloud: Cloud) -> dict[str, dict[str, Any]]:
    """Two users of IAM with access keys; the operator has an MFA device, too."""
    iam = module_cloud.client("iam")
    made: dict[str, dict[str, Any]] = {}
    for role in USERS:
        iam.create_user(UserName=f"first-{role}")
        key = iam.create_access_key(UserName=f"first-{role}")["AccessKey"]
        made[role] = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="first-operator")["VirtualMFADevice"]
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "111111"}
    iam.enable_mfa_device(UserName="first-operator", SerialNumber=device["SerialNumber"], **codes)
    made["device"] = {"serial": device["SerialNumber"], "seed": device["Base32StringSeed"].decode()}
    return made


def apply(context: Context, folder: Path) -> None:
    launch.launch_stacks(context, start(folder / "runs", as_json=False, is_verbose=False), ["people"])
    context.forget()


def sts_of(module_cloud: Cloud, keys: dict[str, str]) -> Any:
    return boto3.client("sts", endpoint_url=module_cloud.endpoint, region_name="eu-central-1", **keys)


def test_the_roles_trust_people_with_a_second_factor(
    module_cloud: Cloud, opened: Callable[[str], Context], folder: Path, users: dict[str, dict[str, Any]]
) -> None:
    everybody = "".join(PERSON.format(role, arn) for role, arn in {**USERS, "auditor": SSO}.items())
    with opened(everybody) as context:
        apply(context, folder)
        roles = context.outputs("people")
        found = {person.name: person.places["aws"] for person in view.read_access(context).people}
        policy = launcher_policy.make_operator_policy(context)
    assert {"first-operator": "yes", "first-developer": "yes", "first-auditor": "yes"} == found

    operator = sts_of(module_cloud, users["operator"])
    asked = {"RoleArn": roles["OperatorRoleArn"], "RoleSessionName": "first-operator"}
    serial, seed = users["device"]["serial"], users["device"]["seed"]
    code = compute_code(seed, int(time.time()) // 30)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    refused = []
    for factor in ({}, {"SerialNumber": serial, "TokenCode": wrong}):
        with pytest.raises(ClientError) as caught:
            operator.assume_role(**asked, **factor)
        refused.append(caught.value.response["Error"])
    session = operator.assume_role(**asked, SerialNumber=serial, TokenCode=code)

    assert ["AccessDenied", "AccessDenied"] == [it["Code"] for it in refused]
    assert "is not authorized to perform: sts:AssumeRole" in refused[0]["Message"]
    assert "invalid MFA one time pass code" in refused[1]["Message"]
    assert ":assumed-role/jenkins-peopled-people-Operator" in session["AssumedRoleUser"]["Arn"]

    # Nobody takes the role of another kind of people, and what is in the role is what 'doctor --policy' prints. This
    # environment has no key pair, so the role reads none.
    with pytest.raises(ClientError, match="AccessDenied"):
        operator.assume_role(
            RoleArn=roles["DeveloperRoleArn"], RoleSessionName="other", SerialNumber=serial, TokenCode=code
        )
    iam = module_cloud.client("iam")
    name = roles["OperatorRoleArn"].rpartition("/")[2]
    policy = {**policy, "Statement": [it for it in policy["Statement"] if it["Sid"] != "LoginKey"]}
    assert policy == iam.get_role_policy(RoleName=name, PolicyName="operator")["PolicyDocument"]
    trust = iam.get_role(RoleName=roles["AuditorRoleArn"].rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert [{"AWS": [SSO]}] == [statement["Principal"] for statement in trust["Statement"]]
    assert "Condition" not in json.dumps(trust)


def test_who_is_taken_out_is_left_over_until_the_next_launch(
    module_cloud: Cloud, opened: Callable[[str], Context], folder: Path
) -> None:
    with opened(PERSON.format("auditor", SSO)) as context:
        left = {person.name for person in view.read_access(context).people if person.left}
        apply(context, folder)
        after = {person.name for person in view.read_access(context).people if person.left}
        outputs = set(context.outputs("people"))

    assert set(USERS.values()) == left
    assert set() == after
    assert {"AuditorRoleArn"} == outputs


def test_without_people_on_aws_there_is_no_stack(opened: Callable[[str], Context]) -> None:
    with opened("") as context:
        assert "people" not in context.wanted
        assert ["people"] == [name for name in context.stacks if name not in context.wanted]
