"""The account act against the local cloud: the claim, the settings, the trail, and what is given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.acts import account as act
from bootstrap.acts.account_standing import NAMES, OpenedAccount, State, list_wishes, read_standings
from bootstrap.cloud import account_claim, account_settings
from bootstrap.cloud.world import World
from bootstrap.context import Context
from bootstrap.environment import account_file, settings
from bootstrap.errors import AccountInUse, AccountOwned, UsageError
from bootstrap.preconditions import account_policy, launcher_policy, required_actions
from bootstrap.stacks import template
from bootstrap.values import Change, ChangeKind
from bootstrap.views import account as view
from tests.aws.conftest import ROOT, Cloud, lay_checkout
from tests.aws.launcher_environments import user

WHOLE = """\
account: trial
environment: local
trail: {expire_days: 200}
password_policy: {minimum_length: 15}
ebs_encryption: true
s3_public_access_block: true
snapshot_public_access: block-all-sharing
image_public_access: block-new-sharing
instance_metadata: {hop_limit: 3}
serial_console: closed
contacts:
  security: {name: A, title: B, email: security@localhost, phone: "+1 2"}
"""
# What a person set in the account before the toolkit came.
FOREIGN_POLICY = {"MinimumPasswordLength": 8, "RequireNumbers": True}
SETTINGS = (
    *("password-policy", "ebs-encryption", "s3-public-access-block", "snapshot-public-access"),
    *("image-public-access", "instance-metadata", "security-contact"),
)


class Report:
    """What was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.changes: list[Change] = []

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def change(self, change: Change) -> None:
        self.changes.append(change)

    @property
    def names(self) -> list[str]:
        return [f"{change.kind} {change.name}" for change in self.changes if change.act == act.ACT]


def open_trial(cloud: Cloud, folder: Path, text: str = WHOLE, project: str = "jenkins") -> OpenedAccount:
    for name in ("accounts", "environments"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "environments" / "local.yaml").write_text((ROOT / "environments" / "local.yaml").read_text())
    path = folder / "accounts" / "trial.yaml"
    path.write_text(text)
    world = World(settings.load(ROOT / "environments" / "local.yaml"), cloud.endpoint)
    return OpenedAccount(account_file.load(path), project, "eu-central-1", world.aws, {"Project": project, "Run": "1"})


def read_states(account: OpenedAccount) -> dict[str, State]:
    return {standing.name: standing.state for standing in read_standings(account)}


def read_values(account: OpenedAccount) -> dict[str, Any]:
    return {standing.name: standing.value for standing in read_standings(account)}


@pytest.fixture
def trial(module_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenedAccount]:
    """The account of WHOLE; whatever a test leaves is given up after it."""
    for name, value in module_cloud.environment.items():
        monkeypatch.setenv(name, value)
    opened = open_trial(module_cloud, tmp_path)
    untouched = read_values(opened)
    yield opened
    opened.forget()
    for parameter in opened.aws("ssm").describe_parameters()["Parameters"]:
        if "/account/users/" in parameter["Name"]:
            opened.aws("ssm").delete_parameter(Name=parameter["Name"])
    claim = opened.read_claim()
    if claim is not None and claim.project != opened.project:
        account_claim.give_up_claim(opened.aws("iam"))
    act.destroy(opened, NAMES, Report())
    for standing in read_standings(opened):
        standing.setting.write(opened.aws, opened.account_id, standing.setting.default)
    assert untouched == read_values(opened)


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


def test_of_many_projects_exactly_one_gets_the_account(trial: OpenedAccount, module_cloud: Cloud) -> None:
    wins: list[account_claim.Claim] = []
    barrier = threading.Barrier(8)

    def contend(number: int) -> None:
        iam = module_cloud.new_client("iam", region="eu-central-1" if number % 2 else "us-east-1")
        mine = account_claim.Claim(f"project-{number}", "trial", "eu-central-1")
        barrier.wait()
        wins.append(account_claim.take_claim(iam, mine))

    contenders = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
    for contender in contenders:
        contender.start()
    for contender in contenders:
        contender.join()

    assert (8, 1) == (len(wins), len(set(wins)))
    assert set(wins) == {trial.read_claim()}


def test_the_account_of_another_project_is_looked_at_and_not_changed(
    trial: OpenedAccount, module_cloud: Cloud, tmp_path: Path
) -> None:
    act.apply(trial, Report())
    (tmp_path / "other").mkdir()
    other = open_trial(module_cloud, tmp_path / "other", WHOLE.replace("15", "16"), project="other")
    before = read_values(other)

    for attempt in (
        lambda: act.plan(other, Report()),
        lambda: act.apply(other, Report()),
        lambda: act.adopt(other, "password-policy", Report()),
        lambda: act.release(other, NAMES, Report()),
        lambda: act.destroy(other, NAMES, Report()),
    ):
        with pytest.raises(AccountOwned, match="the project 'jenkins'"):
            attempt()

    assert before == read_values(other)
    assert ("claim", "foreign") == view.read_view(other, with_all=True).rows[0][:2]
    assert {State.FOREIGN} == {read_states(other)[name] for name in SETTINGS}


def test_where_another_trail_records_everything_none_is_made(trial: OpenedAccount) -> None:
    s3, cloudtrail = trial.aws("s3"), trial.aws("cloudtrail")
    s3.create_bucket(Bucket="landing-zone-records", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    cloudtrail.create_trail(
        Name="landing-zone",
        S3BucketName="landing-zone-records",
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
    )
    cloudtrail.start_logging(Name="landing-zone")
    try:
        report = Report()
        act.apply(trial, report)

        assert trial.stack is None
        assert any("landing-zone of somebody else records all regions; none is made" in it for it in report.notices)
        (row,) = [row for row in view.read_view(trial, with_all=False).rows if row[0] == "trail"]
        assert row[1] == "foreign"
        (fault,) = [check.detail for check in view.verify(trial) if check.outcome == "failed"]
        assert fault.endswith("its records are not encrypted with a customer key")
    finally:
        cloudtrail.delete_trail(Name="landing-zone")
        s3.delete_bucket(Bucket="landing-zone-records")


@pytest.mark.parametrize("stopped", [True, False])
def test_verify_finds_a_trail_that_does_not_record(stopped: bool, trial: OpenedAccount) -> None:
    act.apply(trial, Report())
    (trail,) = trial.aws("cloudtrail").describe_trails()["trailList"]
    if stopped:
        trial.aws("cloudtrail").stop_logging(Name=trail["TrailARN"])
    else:
        trial.aws("cloudtrail").update_trail(Name=trail["TrailARN"], EnableLogFileValidation=False)

    (red,) = [check for check in view.verify(trial) if check.outcome == "failed"]

    assert red.name == "trail"
    assert ("does not record" if stopped else "no signed digests") in red.detail


def test_an_account_that_is_used_is_not_given_up(trial: OpenedAccount) -> None:
    act.apply(trial, Report())
    trial.aws("ssm").put_parameter(Name="/jenkins/account/users/production", Value="x", Type="String")
    before = read_values(trial)

    with pytest.raises(AccountInUse, match="these environments use it: production"):
        act.destroy(trial, NAMES, Report())

    assert before == read_values(trial)
    assert ("users", "1", "production") == view.read_view(trial, with_all=False).rows[-1]


def test_a_destroy_gives_everything_back_and_names_the_bucket_and_the_key_that_stay(trial: OpenedAccount) -> None:
    before = read_values(trial)
    act.apply(trial, Report())
    assert trial.stack is not None
    outputs = trial.stack.outputs

    kept = act.destroy(trial, NAMES, Report())

    assert before == read_values(trial)
    assert trial.read_claim() is None
    assert any(outputs["TrailBucket"] in it for it in kept)
    assert any(outputs["TrailKeyArn"].rpartition("/")[2] in it for it in kept)
    trial.aws("s3").head_bucket(Bucket=outputs["TrailBucket"])
    assert trial.aws("kms").describe_key(KeyId=outputs["TrailKeyArn"])["KeyMetadata"]["Enabled"]
    report = Report()
    assert () == act.destroy(trial, NAMES, report)
    assert [] == report.changes


def test_the_policy_of_the_account_is_enough_and_the_launchers_is_not(
    trial: OpenedAccount, module_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ROOT / "environments" / "local.yaml"
    with Context(path, settings.load(path), module_cloud.endpoint) as context:
        policies = {
            "account": account_policy.make_policy(context),
            "launcher": launcher_policy.make_policy(context),
        }
    opened = {}
    for name, document in policies.items():
        for variable, value in user(module_cloud, name, document).items():
            monkeypatch.setenv(variable.upper(), value)
        opened[name] = open_trial(module_cloud, tmp_path)
        for service in required_actions.list_services(required_actions.list_account_sources()):
            opened[name].aws(service)  # each client keeps these keys

    wishes = list_wishes(trial.settings)
    for name in SETTINGS:
        with pytest.raises(ClientError, match=r"not authorized|[Aa]ccess ?[Dd]enied"):
            account_settings.SETTINGS[name].write(opened["launcher"].aws, trial.account_id, wishes[name])
    act.apply(opened["account"], Report())
    assert () == act.plan(opened["account"], Report())
    assert [] == [check for check in view.verify(opened["account"]) if check.outcome != "passed"]
    act.destroy(opened["account"], NAMES, Report())
    assert trial.read_claim() is None


# Runs commands one after the other, as an entry would, and tells the exit code and the output of each.
RUNNER = """
import contextlib, io, json, sys
from bootstrap.cli import parser
told = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = parser.main(["account", *arguments])
    told.append([code, out.getvalue()])
print(json.dumps(told))
"""


def test_the_commands_plan_apply_show_and_give_up(module_cloud: Cloud, tmp_path: Path, trial: OpenedAccount) -> None:
    checkout = lay_checkout(tmp_path / "checkout")
    environment = {**os.environ, **module_cloud.environment, "BOOTSTRAP_ROOT": str(checkout)}
    asked = (["plan"], ["apply"], ["plan"], ["status", "--json"], ["verify"], ["destroy", "--yes"], ["verify"])
    command = [sys.executable, "-c", RUNNER, json.dumps(asked)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    codes, told = zip(*json.loads(done.stdout.splitlines()[-1]), strict=True)

    assert (2, 0, 0, 0, 0, 0, 1) == codes, told
    assert "customer key 1.00" in told[0]
    assert "nothing to do" in told[2]
    rows = next(it["rows"] for it in map(json.loads, told[3].splitlines()) if it["event"] == "account")
    assert {("claim", "owned"), ("trail", "owned"), ("password-policy", "owned")} <= {(it[0], it[1]) for it in rows}
    kept = [line.split()[1] for line in told[5].splitlines() if line.startswith("kept: ")]
    assert ["AWS::KMS::Key", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"] == sorted(kept)
    assert trial.read_claim() is None
