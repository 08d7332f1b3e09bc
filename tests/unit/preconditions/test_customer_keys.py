"""Keys and boundary in an environment file: what the account must have and allow before anything is made."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.doctor import cloud as doctor
from bootstrap.doctor.findings import Health
from bootstrap.environment import settings
from bootstrap.preconditions import account, customer_keys, instance_types
from bootstrap.values import Stack

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
HEAD = "environment: trial\ncloud: aws\nowner: a\ncost_center: b\n"
WHOLE = f"{HEAD}account:\n  kms_key_arn: {KEY}\n"
EVERYTHING = f"{WHOLE}network:\n  flow_logs: {{}}\n  bastion: {{}}\n"
STACKS = ("traffic-logs", "data", "controller")
ROOT = {
    "Sid": "root",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
CALLER = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/a", "UserId": "u"}


@pytest.fixture(autouse=True)
def no_instance_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """EC2 is not asked for the types of the instances here."""
    monkeypatch.setattr(instance_types, "find_faults", lambda *_: ())


class Aws:
    """Clients that answer in order; what is not asked for is noticed."""

    def __init__(self) -> None:
        self.stubs: dict[str, Stubber] = {}
        self.clients: dict[str, Any] = {}
        for name in ("kms", "sts", "iam"):
            client: Any = boto3.client(
                name,
                region_name="eu-central-1",
                aws_access_key_id="a",
                aws_secret_access_key="b",  # type: ignore[call-overload]
            )
            self.clients[name], self.stubs[name] = client, Stubber(client)
            self.stubs[name].activate()

    def key(
        self, policy: list[dict[str, Any]] | None, grants: list[dict[str, Any]] | None = None, **state: Any
    ) -> "Aws":
        described = {"KeyId": "1", "Arn": KEY, "KeyState": "Enabled", "KeyManager": "CUSTOMER", **state}
        self.stubs["sts"].add_response("get_caller_identity", CALLER)
        self.stubs["kms"].add_response("describe_key", {"KeyMetadata": described}, {"KeyId": KEY})
        if policy is not None:
            text = json.dumps({"Version": "2012-10-17", "Statement": policy})
            self.stubs["kms"].add_response("get_key_policy", {"Policy": text}, {"KeyId": KEY, "PolicyName": "default"})
        if grants is not None:
            self.stubs["kms"].add_response("list_grants", {"Grants": grants, "Truncated": False}, {"KeyId": KEY})
        return self


def context(folder: Path, aws: Aws, text: str, stacks: dict[str, Stack] | None = None) -> Any:
    path = folder / "trial.yaml"
    path.write_text(text)
    world = SimpleNamespace(aws=aws.clients.__getitem__, is_on_machine=False)
    return SimpleNamespace(settings=settings.load(path), environment_file=path, world=world, stacks=stacks or {})


def faults(folder: Path, aws: Aws, text: str, names: tuple[str, ...] = STACKS, stacks: Any = None) -> list[str]:
    """The faults in these stacks' part of the file, from its line on."""
    found = account.find_faults(context(folder, aws, text, stacks), names)
    for stub in aws.stubs.values():
        stub.assert_no_pending_responses()
    return [str(it).partition("trial.yaml:")[2] for it in found]


def statement_of(fault: str) -> dict[str, Any]:
    """The statement that a fault says to add."""
    found, _ = json.JSONDecoder().raw_decode(fault[fault.index("{") :])
    return dict(found)


def test_a_key_that_its_users_may_use_is_good(tmp_path: Path) -> None:
    assert [] == faults(tmp_path, Aws().key([ROOT]), WHOLE)


def test_every_statement_that_is_missing_is_told_and_is_then_enough(tmp_path: Path) -> None:
    found = faults(tmp_path, Aws().key([], []), EVERYTHING, (*STACKS, "bastion"))

    assert all(it.startswith("6:16: account.kms_key_arn: ") for it in found)
    assert ["account's own policies", "CloudWatch Logs may not use", "Auto Scaling may not start"] == [
        next(
            words
            for words in ("account's own policies", "CloudWatch Logs may not use", "Auto Scaling may not start")
            if words in it
        )
        for it in found
    ]
    added = [statement_of(it) for it in found]
    assert {"Service": "logs.eu-central-1.amazonaws.com"} == added[1]["Principal"]
    assert "log-group:jenkins-trial-traffic-logs-*" in json.dumps(added[1]["Condition"])
    assert [] == faults(tmp_path, Aws().key(added), EVERYTHING, (*STACKS, "bastion"))


def test_a_grant_for_auto_scaling_is_as_good_as_a_statement(tmp_path: Path) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    operations = ["CreateGrant", "Decrypt", "GenerateDataKeyWithoutPlaintext"]
    grant = {"GranteePrincipal": role, "Operations": operations}

    assert [] == faults(tmp_path, Aws().key([ROOT], [grant]), WHOLE, ("bastion",))
    (fault,) = faults(tmp_path, Aws().key([ROOT], [{**grant, "Operations": ["Decrypt"]}]), WHOLE, ("bastion",))
    assert "Auto Scaling may not start machines" in fault
    assert [fault] == faults(
        tmp_path, Aws().key([ROOT], [{**grant, "Operations": ["Decrypt"]}]), WHOLE, ("agents-linux",)
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"KeyState": "Disabled"}, "the key is Disabled; enable it"),
        ({"KeyState": "PendingDeletion"}, "the key is PendingDeletion; cancel its deletion"),
        ({"KeyManager": "AWS"}, "a key of AWS, whose policy nobody changes"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "the kind RSA_2048 for ENCRYPT_DECRYPT"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "a symmetric key for encryption is needed"),
    ],
)
def test_a_key_that_cannot_encrypt_is_refused(tmp_path: Path, state: dict[str, str], words: str) -> None:
    (fault,) = faults(tmp_path, Aws().key(None, **state), WHOLE)

    assert fault.startswith("6:16: account.kms_key_arn: ") and words in fault


def test_a_key_that_is_not_there_is_a_fault_and_one_that_may_not_be_read_is_none(tmp_path: Path) -> None:
    for code, expected in (("NotFoundException", [f"there is no key {KEY}"]), ("AccessDeniedException", [])):
        aws = Aws()
        aws.stubs["sts"].add_response("get_caller_identity", CALLER)
        aws.stubs["kms"].add_client_error("describe_key", code, "not you")
        examined = customer_keys.examine(context(tmp_path, aws, WHOLE), STACKS)

        assert all(words in fault for words, (_, fault) in zip(expected, examined.faults, strict=True))
        assert (["AccessDeniedException: not you"] if not expected else []) == [
            it.removeprefix(f"{KEY}: ") for it in examined.unknown
        ]


def test_the_logs_own_key_is_asked_for_and_not_the_accounts(tmp_path: Path) -> None:
    text = f"{HEAD}network:\n  flow_logs: {{kms_key_arn: {KEY}}}\n"

    (fault,) = faults(tmp_path, Aws().key([ROOT]), text)

    assert fault.startswith("6:28: network.flow_logs.kms_key_arn: CloudWatch Logs may not use the key")


def test_an_existing_data_volume_keeps_its_key(tmp_path: Path) -> None:
    for before, text in (("", WHOLE), (KEY, HEAD), (KEY.replace("1-1", "2-2"), WHOLE)):
        data = Stack("jenkins-trial-data", "CREATE_COMPLETE", {"DataVolumeId": "vol-1"}, {"KmsKeyArn": before})
        (fault,) = faults(tmp_path, Aws(), text, stacks={"data": data})
        assert "a volume keeps its key: a launch would replace it by an empty one" in fault
        assert (before or "AWS' own key") in fault
    same = Stack("jenkins-trial-data", "CREATE_COMPLETE", {"DataVolumeId": "vol-1"}, {"KmsKeyArn": KEY})
    assert [] == faults(tmp_path, Aws().key([ROOT]), WHOLE, stacks={"data": same})


def test_nobody_is_asked_for_a_file_without_keys_or_on_the_machine(tmp_path: Path) -> None:
    assert [] == faults(tmp_path, Aws(), HEAD)
    on_machine = context(
        tmp_path, Aws(), EVERYTHING.replace("account:\n", f"account:\n  permissions_boundary: {BOUNDARY}\n")
    )
    on_machine.world.is_on_machine = True
    assert [] == account.find_faults(on_machine, ("traffic-logs",))


# --- the boundary

BOUNDED = f"{HEAD}account:\n  permissions_boundary: {BOUNDARY}\n"


def boundary_aws(error: str = "", **policy: Any) -> Aws:
    aws = Aws()
    aws.stubs["sts"].add_response("get_caller_identity", CALLER)
    if error:
        aws.stubs["iam"].add_client_error("get_policy", error, "no")
    else:
        aws.stubs["iam"].add_response("get_policy", {"Policy": {"Arn": BOUNDARY, **policy}}, {"PolicyArn": BOUNDARY})
    return aws


def test_a_boundary_that_exists_is_good_and_only_stacks_with_roles_ask(tmp_path: Path) -> None:
    assert [] == faults(tmp_path, boundary_aws(IsAttachable=True), BOUNDED)
    assert [] == faults(tmp_path, boundary_aws("AccessDenied"), BOUNDED)
    assert [] == faults(tmp_path, Aws(), BOUNDED, ("data", "endpoints"))


def test_doctor_tells_a_good_key_and_what_may_not_be_looked_at(tmp_path: Path) -> None:
    text = WHOLE.replace("account:\n", f"account:\n  permissions_boundary: {BOUNDARY}\n")

    def tell(aws: Aws) -> list[tuple[str, Health]]:
        made = context(tmp_path, aws, text)
        made.wanted = STACKS
        return [(it.name, it.health) for it in doctor._check_key(made)]

    good = Aws().key([ROOT])
    good.stubs["sts"].add_response("get_caller_identity", CALLER)
    good.stubs["iam"].add_response("get_policy", {"Policy": {"Arn": BOUNDARY}})
    assert [("key", Health.GOOD)] == tell(good)
    closed = Aws()
    for _ in "12":
        closed.stubs["sts"].add_response("get_caller_identity", CALLER)
    closed.stubs["kms"].add_client_error("describe_key", "AccessDeniedException", "not you")
    closed.stubs["iam"].add_client_error("get_policy", "AccessDenied", "not you")
    assert [("boundary", Health.WARNING), ("key", Health.WARNING)] == tell(closed)


def test_a_boundary_that_iam_would_refuse_is_refused_at_its_place(tmp_path: Path) -> None:
    (absent,) = faults(tmp_path, boundary_aws("NoSuchEntity"), BOUNDED)
    (unusable,) = faults(tmp_path, boundary_aws(IsAttachable=False), BOUNDED)
    other = Aws()
    other.stubs["sts"].add_response("get_caller_identity", {**CALLER, "Account": "999999999999"})
    (foreign,) = faults(tmp_path, other, BOUNDED)

    assert absent.startswith("6:25: account.permissions_boundary: there is no policy arn:aws:iam")
    assert "cannot be attached to a role" in unusable
    assert f"is a policy of the account {ACCOUNT}, and this is 999999999999" in foreign
