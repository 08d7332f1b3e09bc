"""A launch, a plan, drift detection and a destruction under the policies that 'doctor --policy' prints, and under nothing else.

The evaluator of the local cloud asks them of every call: of the toolkit's own, and of what CloudFormation does for it.
"""

from __future__ import annotations

import hashlib
import json
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from launcher_environments import EVERYTHING, REFUSED, ROGUE, ROLES, Open, journal, user

from bootstrap import launch
from bootstrap.cloud import distribution_bucket, secrets
from bootstrap.cloud.certificates import Subjects
from bootstrap.context import Context
from bootstrap.doctor import permissions
from bootstrap.errors import SettingsInvalid
from bootstrap.network.proof import judge
from bootstrap.planning import look
from bootstrap.preconditions import launcher_policy, stack_inputs, user_secrets
from bootstrap.stacks import composition
from bootstrap.views import network_diagram, network_reading
from bootstrap.views.drift import stacks as drifted
from tests.aws.conftest import Cloud

FORBIDDEN = "is not authorized to perform"


def test_the_launcher_makes_every_stack(launched: Context) -> None:
    assert set(composition.list_wanted_stacks(launched.settings)) == set(launched.stacks)
    assert all(it.status.endswith("_COMPLETE") for it in launched.stacks.values())


def test_every_role_has_the_boundary_of_the_account(launched: Context, module_cloud: Cloud) -> None:
    boundary, iam = launched.settings.account.permissions_boundary, module_cloud.client("iam")
    cloudformation = launched.world.aws("cloudformation")
    roles = [
        one["PhysicalResourceId"]
        for stack in launched.stacks.values()
        for one in cloudformation.list_stack_resources(StackName=stack.name)["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::IAM::Role"
    ]
    found = {
        iam.get_role(RoleName=it)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for it in roles
    }

    assert {boundary} == found
    assert ROLES[launched.settings.name] == len(roles)


def test_everything_that_is_encrypted_has_the_key_of_the_account(launched: Context, module_cloud: Cloud) -> None:
    key, region = launched.settings.account.kms_key_arn, launched.settings.region
    if key is None:
        return
    ec2, logs = module_cloud.new_client("ec2", region=region), module_cloud.new_client("logs", region=region)
    mine = [{"Name": "tag:Environment", "Values": [launched.settings.name]}]
    volumes = ec2.describe_volumes(Filters=mine)["Volumes"]
    assert {key} == {it.get("KmsKeyId") for it in volumes}
    instance = ec2.describe_instances(InstanceIds=[launched.outputs("controller")["InstanceId"]])
    disks = [it["Ebs"]["VolumeId"] for it in instance["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]]
    assert {key} == {it.get("KmsKeyId") for it in ec2.describe_volumes(VolumeIds=disks)["Volumes"]}
    assert 2 == len(disks)  # the root volume and the data volume
    group = launched.outputs("bastion")["BastionGroupName"]
    named = [{"Name": "tag:aws:autoscaling:groupName", "Values": [group]}]
    (bastion,) = ec2.describe_instances(Filters=named)["Reservations"][0]["Instances"]
    (disk,) = [it["Ebs"]["VolumeId"] for it in bastion["BlockDeviceMappings"]]
    assert key == ec2.describe_volumes(VolumeIds=[disk])["Volumes"][0]["KmsKeyId"]
    groups = logs.describe_log_groups(logGroupNamePrefix="jenkins-everything-")["logGroups"]
    assert [key] * 3 == [it.get("kmsKeyId") for it in groups]
    bucket = launched.outputs("distribution")["DistributionBucket"]
    s3 = module_cloud.new_client("s3", region=region)
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} == rule["ApplyServerSideEncryptionByDefault"]
    manager, data = launched.world.aws("secretsmanager"), launched.outputs("data")
    arns = [arn for name, arn in data.items() if name.endswith("Secret")]
    assert [key] * 6 == [manager.describe_secret(SecretId=it).get("KmsKeyId") for it in arns]


@pytest.mark.parametrize("name", ROGUE)
def test_the_launcher_makes_no_role_that_the_account_does_not_bound(launched: Context, name: str) -> None:
    """Nor gives it a permission, nor takes the boundary away."""
    if launched.settings.account.permissions_boundary is None:
        return
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}, **ROGUE[name]}
    body = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    client, stack = launched.world.aws("cloudformation"), f"jenkins-everything-{name.replace(' ', '-')}"
    request = {"StackName": stack, "ChangeSetName": "x", "ChangeSetType": "CREATE", "Capabilities": ["CAPABILITY_IAM"]}
    client.create_change_set(**request, TemplateBody=json.dumps(body))
    client.get_waiter("change_set_create_complete").wait(StackName=stack, ChangeSetName="x", WaiterConfig={"Delay": 1})
    client.execute_change_set(StackName=stack, ChangeSetName="x")
    with pytest.raises(Exception, match="terminal failure state"):
        client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    assert [it for it in events if "iam:CreateRole" in it.get("ResourceStatusReason", "")]
    client.delete_stack(StackName=stack)
    iam, role = launched.world.aws("iam"), launched.outputs("controller")["RoleArn"].rpartition("/")[2]
    with pytest.raises(Exception, match=FORBIDDEN):
        iam.delete_role_permissions_boundary(RoleName=role)


def test_the_launcher_uses_the_key_through_secrets_and_volumes_alone(launched: Context) -> None:
    key = launched.settings.account.kms_key_arn
    if key is None:
        return
    kms = launched.world.aws("kms")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"]
    for use in (
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        lambda: kms.create_grant(KeyId=key, GranteePrincipal="arn:aws:iam::1:root", Operations=["Decrypt"]),
        lambda: kms.schedule_key_deletion(KeyId=key),
    ):
        with pytest.raises(Exception, match=FORBIDDEN):
            use()


def test_the_launcher_fills_and_reads_the_bucket_and_the_operator_only_looks(
    launched: Context, module_cloud: Cloud, opened: Open, folder: Path
) -> None:
    if not launched.settings.jenkins.bucket:
        return
    name, s3 = launched.outputs("distribution")["DistributionBucket"], launched.world.aws("s3")
    keys = user(module_cloud, "bucket-operator", launcher_policy.make_operator_policy(opened("everything")))
    theirs = opened("everything", keys).world.aws("s3")
    sha256 = hashlib.sha256(b"core").hexdigest()

    urls = distribution_bucket.offer(s3, launched.world.make_signer(None), name, {sha256: b"core"}, journal(folder))

    with urllib.request.urlopen(urls[sha256], timeout=10) as answer:
        assert b"core" == answer.read()
    assert [distribution_bucket.name_key(sha256)] == [
        it["Key"] for it in theirs.list_objects_v2(Bucket=name)["Contents"]
    ]
    for refused in (
        lambda: theirs.put_object(Bucket=name, Key="files/x", Body=b"x"),
        lambda: theirs.get_object(Bucket=name, Key=distribution_bucket.name_key(sha256)),
        lambda: theirs.delete_object(Bucket=name, Key=distribution_bucket.name_key(sha256)),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_the_launcher_reads_and_writes_the_secrets_and_plans(launched: Context, folder: Path) -> None:
    data, manager = launched.outputs("data"), launched.world.aws("secretsmanager")
    arns = secrets.SecretArns(data["CertificatesSecret"], data["AuthorityKeySecret"])
    issued = secrets.ensure_certificates(manager, arns, Subjects(("controller",), (), launched.settings.network.cidr))
    assert issued.is_new
    assert launched.secret("AdminPasswordSecret").reveal()
    assert () == look.plan_stacks(launched, journal(folder))
    key = f"/ec2/keypair/{data['KeyPairId']}"
    assert launched.world.aws("ssm").get_parameter(Name=key, WithDecryption=True)["Parameter"]["Value"]


def test_own_secrets_are_read_by_launcher_and_operator_and_no_others(
    launched: Context, module_cloud: Cloud, opened: Open
) -> None:
    if not launched.settings.jenkins.secrets:
        assert {} == user_secrets.read(launched)
        return
    operator = opened("everything", user(module_cloud, "reader", launcher_policy.make_operator_policy(launched)))
    for context in (launched, operator):
        values = {name: it.reveal() for name, it in user_secrets.read(context).items()}
        assert {"DEPLOY_TOKEN": "token", "MAIL_PASSWORD": "word", "SMTP_PASSWORD": "ses"} == values
        with pytest.raises(Exception, match=FORBIDDEN):
            context.world.aws("secretsmanager").get_secret_value(SecretId="team/deploy-token-2")
    with pytest.raises(Exception, match=FORBIDDEN):
        operator.world.aws("ssm").get_parameter(Name="/team/mail/other", WithDecryption=True)


def test_a_secret_that_is_not_there_is_refused_with_its_place_before_anything_is_made(
    launched: Context, opened: Open, folder: Path
) -> None:
    if not launched.settings.jenkins.secrets:
        return
    parameters = opened("everything").world.aws("ssm")
    parameters.delete_parameter(Name="/team/mail")
    with pytest.raises(SettingsInvalid) as caught:
        look.plan_stacks(launched, journal(folder))
    parameters.put_parameter(Name="/team/mail", Value="word", Type="SecureString")
    (fault,) = caught.value.faults
    line = EVERYTHING.split("\n").index("    MAIL_PASSWORD: {parameter: /team/mail}") + 1
    assert (line, 32) == (fault.line, fault.column)
    assert "jenkins.secrets.MAIL_PASSWORD.parameter: cannot be read: ParameterNotFound" in fault.message


def test_the_launchers_policy_is_all_allowed_by_the_simulator(launched: Context) -> None:
    arn = launched.world.aws("sts").get_caller_identity()["Arn"]
    account = arn.split(":")[4]
    simulated = permissions.simulate(launched.world.aws("iam"), arn, account, launcher_policy.make_policy(launched))
    assert ([], {}) == (simulated.denied, simulated.unknown)


def test_the_shipped_intentions_hold_before_a_machine_runs(launched: Context) -> None:
    """As 'verify' judges them at the end of a launch: nothing that can be proven is broken."""
    section, access = launched.settings.network.intentions, launched.settings.access
    bastion = launched.settings.network.bastion
    allow = section.list_allowed(
        bastion.allow if bastion else (),
        operators=access.operator_cidrs,
        is_ssh_direct=launched.settings.ssh == "direct",
    )
    network = network_reading.add_planned_interfaces(launched, network_reading.read(launched))
    broken = [it for it in judge(network, allow, section.list_denied()) if it.outcome != "holds"]
    # The bastion's public address is known when its machine runs.
    assert [] == [it for it in broken if "bastion" not in it.about]


def test_the_operator_looks_and_plans_and_changes_nothing(
    launched: Context, module_cloud: Cloud, opened: Open, folder: Path
) -> None:
    name = launched.settings.name
    needs = launcher_policy.make_policy(launched), launcher_policy.make_operator_policy(launched)
    assert len(json.dumps(needs[1])) < len(json.dumps(needs[0]))
    operator = opened(name, user(module_cloud, f"{name}-operator", needs[1]))
    if not module_cloud.client("secretsmanager").list_secrets(Filters=[{"Key": "name", "Values": ["foreign"]}])[
        "SecretList"
    ]:
        module_cloud.client("secretsmanager").create_secret(Name="foreign", SecretString="x")

    assert () == look.plan_stacks(operator, journal(folder))
    assert operator.secret("AdminPasswordSecret").reveal()
    client = operator.world.aws("cloudformation")
    for made in operator.stacks.values():
        assert [] == list(drifted.find_stack_drift(client, made.name, "launch"))
    for attack in REFUSED.values():
        with pytest.raises(Exception, match=FORBIDDEN):
            attack(operator)


def test_the_jobs_on_the_machine_read_all_that_they_need(on_machine: Context, evidence: Any, folder: Path) -> None:
    """'verify', 'drift' and 'network plan', as far as they call AWS; 'seed' reads the secrets that the others read."""
    subject = evidence.Subject(on_machine, None, "", None)
    assert evidence.tags_of_resources(subject)
    assert set(on_machine.stacks) == set(evidence.stacks_told(subject))
    for gather in (evidence.instance, evidence.volumes, evidence.security_groups, evidence.kept_secrets):
        assert gather(subject)
    assert {"implicitDeny"} == set(evidence.machines_rights(subject).values())
    assert not evidence.key_beside_certificates(subject)
    assert evidence.network(subject).subnets
    assert on_machine.secret("ToolkitTokenSecret").reveal()
    client = on_machine.world.aws("cloudformation")
    found = [it for made in on_machine.stacks.values() for it in drifted.find_stack_drift(client, made.name, "launch")]
    owner = composition.OF_JOBS if composition.OF_JOBS in on_machine.stacks else "controller"
    trusting = f"{on_machine.stacks[owner].name}/Role"  # this test is in its trust policy
    assert {(trusting, False)} == {(it.name, it.is_unseen) for it in found}
    assert () == look.plan_stacks(on_machine, journal(folder), stack_inputs.list_network_stacks(on_machine))
    if on_machine.settings.account.permissions_boundary is not None:
        with pytest.raises(Exception, match="with an explicit deny in a permissions boundary"):
            on_machine.world.aws("autoscaling").describe_notification_configurations()
    if on_machine.settings.network.bastion is not None:
        group = on_machine.outputs("bastion")["BastionGroupName"]
        groups = on_machine.world.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        assert groups["AutoScalingGroups"]


def test_what_surrounds_the_network_is_all_seen_by_the_machine(
    on_machine: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VPN, flow logs, DNS logs, hosted zones: what may not be read would be listed as unseen."""
    drawn: list[Any] = []
    draw = SimpleNamespace(draw=lambda _, surroundings, *rest: drawn.append(surroundings))
    monkeypatch.setattr(network_diagram, "picture", draw)

    network_diagram.draw_svg(on_machine, network_reading.read(on_machine))

    assert [] == [it for it in drawn[0].unseen if FORBIDDEN in it]


def test_the_launcher_destroys_what_it_made(launched: Context, folder: Path) -> None:
    """The last test of an environment."""
    client = launched.world.aws("cloudformation")
    for made in launched.stacks.values():
        client.update_termination_protection(StackName=made.name, EnableTerminationProtection=False)
    assert () == launch.destroy(launched, journal(folder), with_data=True)
    launched.forget()
    assert {} == dict(launched.stacks)
