"""The account act against the local cloud: the settings and the trail, and what is given back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.acts import account as act
from bootstrap.acts.account_standing import NAMES, OpenedAccount, State
from bootstrap.errors import UsageError
from bootstrap.stacks import template
from bootstrap.values import ChangeKind
from bootstrap.views import account as view
from tests.aws.account_trial import FOREIGN_POLICY, SETTINGS, Report, open_trial, read_states, read_values
from tests.aws.conftest import ROOT, Cloud


def test_cfn_lint_has_nothing_to_say_to_the_template_of_the_account() -> None:
    path = ROOT / "cloudformation" / "account" / "account.yaml"

    assert [] == [str(fault) for fault, _ in template.list_findings(path, "eu-central-1")]


def test_an_account_is_brought_to_its_file_and_then_needs_nothing(trial: OpenedAccount) -> None:
    planned = act.plan(trial, Report())
    report = Report()
    act.apply(trial, report)

    assert report.names == [f"{it.kind} {it.name}" for it in planned if it.act == act.ACT]
    assert ["add claim", *(f"add {name}" for name in SETTINGS)] == report.names
    assert () == act.plan(trial, Report())
    iam, ec2, control = trial.aws("iam"), trial.aws("ec2"), trial.aws("s3control")
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (15, 24, True) == (
        policy["MinimumPasswordLength"],
        policy["PasswordReusePrevention"],
        policy["RequireSymbols"],
    )
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    assert all(control.get_public_access_block(AccountId=trial.account_id)["PublicAccessBlockConfiguration"].values())
    assert dict.fromkeys(SETTINGS, State.OWNED) == {
        name: state for name, state in read_states(trial).items() if state is not State.ABSENT
    }
    assert [] == [check for check in view.verify(trial) if check.outcome != "passed"]


def test_the_trail_records_all_regions_into_a_bucket_that_only_it_writes(trial: OpenedAccount) -> None:
    act.apply(trial, Report())

    assert trial.stack is not None
    (found,) = trial.aws("cloudtrail").describe_trails()["trailList"]
    assert (True, True, True) == (
        found["IsMultiRegionTrail"],
        found["LogFileValidationEnabled"],
        found["IncludeGlobalServiceEvents"],
    )
    assert trial.stack.outputs["TrailKeyArn"] == found["KmsKeyId"]
    s3, bucket = trial.aws("s3"), found["S3BucketName"]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (200, 90) == (rule["Expiration"]["Days"], rule["Transitions"][0]["Days"])
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    writers = [it for it in statements if it["Effect"] == "Allow"]
    assert {found["TrailARN"]} == {it["Condition"]["StringEquals"]["aws:SourceArn"] for it in writers}


def test_a_release_restores_what_was_there_before(trial: OpenedAccount) -> None:
    trial.aws("iam").update_account_password_policy(**FOREIGN_POLICY)
    before = read_values(trial)
    act.adopt(trial, "password-policy", Report())
    act.apply(trial, Report())
    assert before["password-policy"] != read_values(trial)["password-policy"]

    act.release(trial, NAMES, Report())

    assert before == read_values(trial)


def test_what_somebody_else_set_is_measured_and_not_changed(trial: OpenedAccount) -> None:
    trial.aws("iam").update_account_password_policy(**FOREIGN_POLICY)
    before = read_values(trial)["password-policy"]
    report = Report()
    act.apply(trial, report)

    assert before == read_values(trial)["password-policy"]
    assert read_states(trial)["password-policy"] is State.FOREIGN
    assert any("account adopt trial --only password-policy" in it for it in report.notices)
    assert ["password-policy"] == [check.name for check in view.verify(trial) if check.outcome == "failed"]


def test_an_adopted_setting_is_brought_to_the_file_by_the_next_apply(trial: OpenedAccount) -> None:
    trial.aws("iam").update_account_password_policy(**FOREIGN_POLICY)
    act.adopt(trial, "password-policy", Report())
    assert read_values(trial)["password-policy"]["MinimumPasswordLength"] == 8

    act.apply(trial, Report())

    assert read_values(trial)["password-policy"]["MinimumPasswordLength"] == 15
    assert read_states(trial)["password-policy"] is State.ADOPTED


@pytest.mark.parametrize("name", ["trail", "ebs-encryption", "billing-contact"])
def test_only_a_foreign_setting_of_the_file_can_be_adopted(name: str, trial: OpenedAccount) -> None:
    with pytest.raises(UsageError, match="Nothing was changed"):
        act.adopt(trial, name, Report())

    assert trial.read_claim() is None


def test_the_defaults_of_ec2_hold_for_what_is_made_afterwards(trial: OpenedAccount) -> None:
    ec2 = trial.aws("ec2")
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    plain = ec2.create_volume(AvailabilityZone=zone, Size=1)
    act.apply(trial, Report())

    assert (False, True) == (plain["Encrypted"], ec2.create_volume(AvailabilityZone=zone, Size=1)["Encrypted"])
    snapshot = ec2.create_snapshot(VolumeId=plain["VolumeId"])["SnapshotId"]
    for share in (
        lambda: ec2.modify_snapshot_attribute(SnapshotId=snapshot, OperationType="add", GroupNames=["all"]),
        lambda: ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]}),
    ):
        with pytest.raises(ClientError, match=r"OperationNotPermitted.*block public access"):
            share()
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, OperationType="add", UserIds=["111122223333"])
    options = [
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **given)["Instances"][0]
        for given in ({}, {"MetadataOptions": {"HttpTokens": "optional"}})
    ]
    found = [(it["HttpTokens"], it["HttpPutResponseHopLimit"]) for it in (each["MetadataOptions"] for each in options)]
    ec2.terminate_instances(InstanceIds=[each["InstanceId"] for each in options])
    assert [("required", 3), ("optional", 3)] == found


def test_a_serial_console_that_somebody_opened_is_closed_only_when_it_is_adopted(trial: OpenedAccount) -> None:
    ec2 = trial.aws("ec2")
    ec2.enable_serial_console_access()
    act.apply(trial, Report())
    assert ["serial-console"] == [check.name for check in view.verify(trial) if check.outcome == "failed"]

    act.adopt(trial, "serial-console", Report())
    act.apply(trial, Report())
    assert ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"] is False

    act.release(trial, NAMES, Report())
    assert ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"] is True


def test_an_edit_is_drift_and_apply_undoes_it(trial: OpenedAccount) -> None:
    act.apply(trial, Report())
    trial.aws("iam").update_account_password_policy(MinimumPasswordLength=7)

    (change,) = act.plan(trial, Report())

    assert (ChangeKind.ALTER, "password-policy") == (change.kind, change.name)
    assert change.detail.startswith("somebody changed it; ")
    act.apply(trial, Report())
    assert () == act.plan(trial, Report())


def test_a_release_leaves_what_somebody_changed_since(trial: OpenedAccount) -> None:
    act.apply(trial, Report())
    trial.aws("iam").update_account_password_policy(MinimumPasswordLength=20)
    report = Report()

    act.release(trial, ["password-policy"], report)

    assert read_values(trial)["password-policy"]["MinimumPasswordLength"] == 20
    assert any(it.startswith("password-policy: somebody changed it") for it in report.notices)
    assert read_states(trial)["ebs-encryption"] is State.OWNED  # that one alone was named


def test_what_leaves_the_file_is_restored_and_the_trail_goes_but_for_its_records(
    trial: OpenedAccount, module_cloud: Cloud, tmp_path: Path
) -> None:
    act.apply(trial, Report())
    assert trial.stack is not None
    bucket = trial.stack.outputs["TrailBucket"]

    smaller = open_trial(module_cloud, tmp_path, "account: trial\nenvironment: local\nebs_encryption: true\n")
    report = Report()
    kept = act.apply(smaller, report)

    gone = [name for name in SETTINGS if name != "ebs-encryption"]
    assert [f"remove {name}" for name in gone] == report.names
    assert {State.ABSENT} == {read_states(smaller)[name] for name in gone}
    assert any(bucket in it for it in kept)
    trial.aws("s3").head_bucket(Bucket=bucket)
    assert [] == trial.aws("cloudtrail").describe_trails()["trailList"]
    assert () == act.plan(smaller, Report())


def test_a_kill_between_the_record_and_the_setting_loses_neither(
    trial: OpenedAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.aws("iam").update_account_password_policy(**FOREIGN_POLICY)
    before = read_values(trial)
    act.adopt(trial, "password-policy", Report())

    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(trial.aws("iam"), "update_account_password_policy", die)
        with pytest.raises(KeyboardInterrupt):
            act.apply(trial, Report())
    assert before["password-policy"] == read_values(trial)["password-policy"]

    act.apply(trial, Report())
    assert read_values(trial)["password-policy"]["MinimumPasswordLength"] == 15
    act.release(trial, NAMES, Report())
    assert before == read_values(trial)
