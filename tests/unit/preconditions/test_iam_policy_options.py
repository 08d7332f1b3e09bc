"""What options of an environment make of the policies: boundary, customer key, bucket, Direct Connect, a peer's network."""

import json
from typing import Any

import pytest

from bootstrap.environment.models import Settings
from bootstrap.preconditions import iam_policies, required_actions
from bootstrap.preconditions.required_actions import Needs
from tests.unit.preconditions.iam_documents import CLIENTS, SETTINGS, document, statement

BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-1111-1111-1111-111111111111"
LOGS_KEY = KEY.replace("1111-1111", "2222-2222")


def with_account(**account: str) -> Settings:
    given = SETTINGS.model_dump(include={"environment", "cloud", "owner", "cost_center"})
    return Settings.model_validate({**given, "account": account, "network": {"flow_logs": {"kms_key_arn": LOGS_KEY}}})


def test_with_a_boundary_roles_are_made_and_permitted_only_under_it_and_it_is_never_removed() -> None:
    makes = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
    through = [*makes, "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary"]

    free, bound = document([], through), document([], through, with_account(permissions_boundary=BOUNDARY))

    assert sorted(through) == statement(free, "Roles")["Action"]
    bounded = statement(bound, "BoundedRoles")
    assert makes == bounded["Action"]
    assert {"iam:PermissionsBoundary": BOUNDARY} == bounded["Condition"]["StringEquals"]
    assert ["cloudformation.amazonaws.com"] == bounded["Condition"]["ForAnyValue:StringEquals"]["aws:CalledVia"]
    assert ["iam:DeleteRole"] == statement(bound, "Roles")["Action"]
    assert "DeleteRolePermissionsBoundary" not in json.dumps(bound)


def test_the_customer_key_is_used_through_secrets_and_volumes_alone() -> None:
    own = required_actions.list_calls(CLIENTS)
    assert {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"} <= own

    found = document(own, chosen=with_account(kms_key_arn=KEY))
    operator = iam_policies.make_operator_policy(with_account(kms_key_arn=KEY), Needs(own, frozenset(), frozenset()))

    of_keys = {it["Sid"]: it for it in found["Statement"] if any(one.startswith("kms:") for one in it["Action"])}
    looks = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"]
    assert {"LookAtKey1": KEY, "LookAtKey2": LOGS_KEY} == {
        sid: it["Resource"] for sid, it in of_keys.items() if it["Action"] == looks
    }
    used = {sid: it for sid, it in of_keys.items() if sid not in {"LookAtKey1", "LookAtKey2"}}
    assert {"DecryptSecrets", "EncryptSecrets", "EncryptVolumes", "GrantToVolumes"} == set(used)
    for sid, one in used.items():
        service = "secretsmanager" if sid.endswith("Secrets") else "ec2"
        assert KEY == one["Resource"]
        assert f"{service}.eu-central-1.amazonaws.com" == one["Condition"]["StringEquals"]["kms:ViaService"]
    assert {"kms:GrantIsForAWSResource": "true"} == used["GrantToVolumes"]["Condition"]["Bool"]
    may = {action for it in operator["Statement"] for action in it["Action"] if action.startswith("kms:")}
    assert {*looks, "kms:Decrypt"} == may
    assert "kms:" not in json.dumps(document(own))


def test_the_bucket_is_used_where_there_is_one_by_its_generated_name_and_the_operator_changes_no_file() -> None:
    own = required_actions.list_calls(CLIENTS)
    base = SETTINGS.model_dump(include={"environment", "cloud", "owner", "cost_center"})
    chosen = Settings.model_validate({**base, "jenkins": {"bucket": True}, "account": {"kms_key_arn": KEY}})

    found, operator = (
        document(own, chosen=chosen),
        iam_policies.make_operator_policy(chosen, Needs(own, frozenset(), frozenset())),
    )

    files, looks = statement(found, "BucketFiles"), statement(found, "LookAtBucket")
    assert ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"] == files["Action"]
    assert "arn:aws:s3:::jenkins-trial-*/*" == files["Resource"]
    assert ({"s3:ListBucket", "s3:GetBucketPolicy", "s3:GetEncryptionConfiguration"}) <= set(looks["Action"])
    assert "arn:aws:s3:::jenkins-trial-*" == looks["Resource"]
    via = statement(found, "EncryptFiles")["Condition"]["StringEquals"]["kms:ViaService"]
    assert "s3.eu-central-1.amazonaws.com" == via
    assert looks in operator["Statement"]
    assert "Object" not in json.dumps([it for it in operator["Statement"] if it["Sid"].endswith(("Bucket", "Files"))])
    assert "s3:" not in json.dumps(document(own))


CONNECTED = {"gateway": "00000000-0000-0000-0000-000000000000", "connection": "dxcon-ffabc123", "vlan": 101}
OFFERED = {"gateway": "00000000-0000-0000-0000-000000000000", "interface": "dxvif-ffabc123", "type": "transit"}


@pytest.mark.parametrize(
    ("option", "sid", "allowed", "resource"),
    [
        (
            CONNECTED,
            "UseConnection",
            ["directconnect:ConfirmConnection", "directconnect:CreatePrivateVirtualInterface"],
            "dxcon/dxcon-ffabc123",
        ),
        (OFFERED, "AcceptInterface", ["directconnect:ConfirmTransitVirtualInterface"], "dxvif/dxvif-ffabc123"),
    ],
)
def test_what_belongs_to_others_at_direct_connect_is_named(
    option: dict[str, Any], sid: str, allowed: list[str], resource: str
) -> None:
    given = SETTINGS.model_dump(include={"environment", "cloud", "owner", "cost_center"})
    chosen = Settings.model_validate({**given, "network": {"direct_connect": option}})
    own = [it for it in required_actions.list_calls(CLIENTS) if it.startswith("directconnect:")]

    found = document(own, chosen=chosen)

    assert (allowed, f"arn:aws:directconnect:eu-central-1:*:{resource}") == (
        statement(found, sid)["Action"],
        statement(found, sid)["Resource"],
    )
    assert "UseConnection" not in json.dumps(document(own))
    assert [
        "directconnect:DeleteVirtualInterface",
        "directconnect:UpdateVirtualInterfaceAttributes",
    ] == statement(document(own), "ChangeOwnInterfaces")["Action"]


def test_the_peers_network_is_read_and_no_more() -> None:
    needs = Needs(frozenset(), frozenset(), frozenset(), "other-peer-network")

    one = statement(iam_policies.make_launcher_policy(SETTINGS, needs), "LookAtPeer")

    assert (["cloudformation:DescribeStacks"], True) == (
        one["Action"],
        one["Resource"].endswith("stack/other-peer-network/*"),
    )
