"""The account act against the local cloud: who holds the account, and who may change it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from bootstrap.acts import account as act
from bootstrap.acts.account_standing import NAMES, OpenedAccount, State, list_wishes
from bootstrap.cloud import account_claim, account_settings
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.errors import AccountInUse, AccountOwned
from bootstrap.preconditions import account_policy, launcher_policy, required_actions
from bootstrap.views import account as view
from tests.aws.account_trial import SETTINGS, WHOLE, Report, open_trial, read_states, read_values
from tests.aws.conftest import ROOT, Cloud, lay_checkout
from tests.aws.launcher_environments import user


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
