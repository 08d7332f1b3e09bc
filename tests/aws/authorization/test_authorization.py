"""The role of the controller's machine may do what the jobs on it do, and nothing else: attacks with its temporary keys.

The role is that of cloudformation/controller.yaml, with all of its policies; only its trust policy lets the tests in. The role
that changes the second network is the template's, unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from callers import refusal
from machine_role import ACCOUNT, UNREADABLE

from tests.aws.conftest import Cloud


def test_a_build_does_not_start_a_machine(module_cloud: Cloud, inside: Callable[[str], Any], role: str) -> None:
    before = module_cloud.records()
    asked = {"ImageId": "ami-01234567", "MinCount": 1, "MaxCount": 1, "UserData": "#!/bin/sh\nid"}
    code, words = refusal(lambda: inside("ec2").run_instances(**asked))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/i-0123456789abcdef0"
    assert "UnauthorizedOperation" == code
    assert words.startswith(f"You are not authorized to perform this operation. User: {session} is not authorized to ")
    assert "perform: ec2:RunInstances on resource: arn:aws:ec2:eu-central-1" in words
    assert words.endswith("because no identity-based policy allows the ec2:RunInstances action")
    assert before == module_cloud.records()


ATTACKS: dict[str, Callable[[Callable[[str], Any]], Any]] = {
    "becomes an administrator": lambda inside: inside("iam").attach_role_policy(
        RoleName="x", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "makes a user": lambda inside: inside("iam").create_user(UserName="x"),
    "writes its own policy": lambda inside: inside("iam").put_role_policy(
        RoleName="x", PolicyName="x", PolicyDocument="{}"
    ),
    "assumes another role": lambda inside: inside("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x", RoleSessionName="job"
    ),
    "opens a group": lambda inside: inside("ec2").authorize_security_group_ingress(
        GroupId="sg-01234567", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    ),
    "makes a network beside the stack": lambda inside: inside("ec2").create_vpc(CidrBlock="10.0.0.0/16"),
    "makes a stack": lambda inside: inside("cloudformation").create_stack(StackName="guarded-left-x", TemplateBody="{}"),
    "deletes a stack": lambda inside: inside("cloudformation").delete_stack(StackName="guarded-left-controller"),
    "changes the controller's stack": lambda inside: inside("cloudformation").execute_change_set(
        StackName="guarded-left-controller", ChangeSetName="x"
    ),
    "looks at another environment": lambda inside: inside("cloudformation").describe_stacks(
        StackName="guarded-other-network"
    ),
    "looks at all stacks": lambda inside: inside("cloudformation").list_stacks(),
    "reads parameters": lambda inside: inside("ssm").get_parameters_by_path(Path="/", Recursive=True, WithDecryption=True),
    "reads the login's key": lambda inside: inside("ssm").get_parameter(Name="/ec2/keypair/key-0", WithDecryption=True),
    "opens a session": lambda inside: inside("ssm").start_session(Target="i-0123456789abcdef0"),
    "lists the secrets": lambda inside: inside("secretsmanager").list_secrets(),
    "lists the buckets": lambda inside: inside("s3").list_buckets(),
    "makes a bucket": lambda inside: inside("s3").create_bucket(Bucket="taken"),
    "sends messages": lambda inside: inside("sns").publish(TopicArn=f"arn:aws:sns:eu-central-1:{ACCOUNT}:t", Message="x"),
    "changes a zone": lambda inside: inside("route53").create_hosted_zone(Name="evil.example", CallerReference="x"),
    "makes a function": lambda inside: inside("lambda").list_functions(),
    "reads metrics": lambda inside: inside("cloudwatch").describe_alarms(),
    "makes a key": lambda inside: inside("kms").create_key(),
    "replaces machines": lambda inside: inside("autoscaling").set_desired_capacity(
        AutoScalingGroupName="x", DesiredCapacity=0
    ),
}  # fmt: skip
DENIED = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_build_cannot_do_what_its_role_does_not_allow(
    module_cloud: Cloud, inside: Callable[[str], Any], attack: str
) -> None:
    before = module_cloud.records()
    code, words = refusal(lambda: ATTACKS[attack](inside))
    assert code in DENIED
    assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/" in words
    assert before == module_cloud.records()


def test_secrets_are_read_as_the_template_says(inside: Callable[[str], Any], secrets: dict[str, str]) -> None:
    manager = inside("secretsmanager")
    for name, arn in secrets.items():
        assert name == manager.describe_secret(SecretId=arn)["Name"]
        if name in UNREADABLE:
            code, words = refusal(lambda arn=arn: manager.get_secret_value(SecretId=arn))
            assert ("AccessDeniedException", True) == (
                code,
                f"secretsmanager:GetSecretValue on resource: {arn}" in words,
            )
            code, _ = refusal(lambda name=name: manager.get_secret_value(SecretId=name))
            assert "AccessDeniedException" == code
        else:
            assert f"of {name}" == manager.get_secret_value(SecretId=arn)["SecretString"]


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="Action"\r\n\r\nRunInstances\r\n--b--\r\n'
DESCRIBE = {"X-Amz-Target": "secretsmanager.DescribeSecret", "Content-Type": "application/x-amz-json-1.1"}
SMUGGLED = b'{"SecretId": "AdminPasswordSecret", "x": "&Action=GetSecretValue&"}'


def test_the_operation_that_is_checked_is_the_one_that_is_carried_out(
    module_cloud: Cloud, keys: dict[str, str]
) -> None:
    """The requests name a second operation in a place where moto would read it."""

    def asked(service: str, path: str, headers: dict[str, str], body: bytes) -> int:
        import urllib.error
        import urllib.request

        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        held = Credentials(
            *(keys[name] for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"))
        )
        request = AWSRequest("POST", module_cloud.endpoint + path, headers, body)
        SigV4Auth(held, service, "eu-central-1").add_auth(request)
        prepared = request.prepare()
        call = urllib.request.Request(prepared.url, body, dict(prepared.headers.items()), method="POST")
        try:
            with urllib.request.urlopen(call, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    look, run = b"Action=DescribeVpcs&Version=2016-11-15", "Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1"
    assert 200 == asked("ec2", "/", form, look)
    for attempt in (
        ("ec2", f"/?{run}", form, look),
        ("ec2", "/", form, look + b"&" + run.encode()),
        ("ec2", "/?Action=DescribeVpcs", {"Content-Type": "text/plain"}, run.encode()),
        ("ec2", "/", {**form, "X-Amz-Target": "x.DescribeVpcs"}, run.encode()),
        ("ec2", "/", {"X-Amz-Target": "x.DescribeVpcs", "Content-Type": "text/plain"}, run.encode()),
        ("ssm", "/?Action=PutParameter", {"X-Amz-Target": "AmazonSSM.GetParameters"}, b"{}"),
        ("iam", "/", {"Content-Type": "text/plain"}, b"Action=CreateUser&UserName=x"),
        ("motoapi", "/", form, look),
        ("sts", "/", form, b"Action=GetCallerIdentity&Action=AssumeRole"),
        ("EC2", "/", form, look),
        (
            "ec2",
            "/?Action=DescribeVpcs&Version=2016-11-15",
            {"Content-Type": "multipart/form-data; boundary=b"},
            MULTIPART,
        ),
        ("ec2", "/", {**form, "Content-Encoding": "gzip"}, look),
        ("secretsmanager", "/", DESCRIBE, SMUGGLED),
        ("secretsmanager", "/", DESCRIBE, SMUGGLED.replace(b"Action", b"%41ction")),
        ("route53", "/2013-04-01/hostedzonesbyname", {"Content-Type": "text/plain"}, b"Action=CreateHostedZone"),
    ):
        before = module_cloud.records()
        assert asked(*attempt) in {400, 403} or attempt[3] == look, attempt
        assert before == module_cloud.records(), attempt
    assert [] == module_cloud.client("ec2").describe_instances()["Reservations"]


def test_only_the_current_version_of_a_secret_can_be_read(
    module_cloud: Cloud, inside: Callable[[str], Any], secrets: dict[str, str]
) -> None:
    """The previous version can be of an earlier toolkit, which stored the authority's key with the certificates."""
    arn, owner, manager = secrets["CertificatesSecret"], module_cloud.client("secretsmanager"), inside("secretsmanager")
    before = manager.get_secret_value(SecretId=arn)
    owner.put_secret_value(SecretId=arn, SecretString=before["SecretString"])
    assert owner.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"]
    assert manager.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
    for other in ({"VersionStage": "AWSPREVIOUS"}, {"VersionId": before["VersionId"]}):
        code, _ = refusal(lambda other=other: manager.get_secret_value(SecretId=arn, **other))
        assert "AccessDeniedException" == code


def test_the_simulator_answers_as_the_server_does(module_cloud: Cloud, role: str, secrets: dict[str, str]) -> None:
    iam = module_cloud.client("iam")

    def decide(action: str, resource: str = "*", **found: str) -> str:
        entries = [
            {"ContextKeyName": name.replace("__", ":"), "ContextKeyType": "string", "ContextKeyValues": [value]}
            for name, value in found.items()
        ]
        asked = {
            "PolicySourceArn": role,
            "ActionNames": [action],
            "ResourceArns": [resource],
            "ContextEntries": entries,
        }
        (result,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
        return str(result["EvalDecision"])

    assert "implicitDeny" == decide("ec2:RunInstances")
    assert "allowed" == decide("ec2:DescribeVpcs")
    assert "allowed" == decide("secretsmanager:GetSecretValue", secrets["ToolkitTokenSecret"])
    for name in UNREADABLE:
        assert "implicitDeny" == decide("secretsmanager:GetSecretValue", secrets[name])
    stack = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/guarded-{{}}-network/x"
    assert "allowed" == decide("cloudformation:ExecuteChangeSet", stack.format("left"))
    assert "implicitDeny" == decide("cloudformation:ExecuteChangeSet", stack.format("right"))
    vpc = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:subnet/*"
    assert "implicitDeny" == decide("ec2:CreateSubnet", vpc)
    assert "allowed" == decide("ec2:CreateSubnet", vpc, aws__CalledVia="cloudformation.amazonaws.com")
    operator = module_cloud.client("sts").get_caller_identity()["Arn"]
    (result,) = iam.simulate_principal_policy(PolicySourceArn=operator, ActionNames=["iam:*"])["EvaluationResults"]
    assert "allowed" == result["EvalDecision"]


def test_the_machine_asks_the_simulator_about_its_own_roles_alone(
    module_cloud: Cloud, inside: Callable[[str], Any], roles: dict[str, str], secrets: dict[str, str]
) -> None:
    asked = {"ActionNames": ["secretsmanager:GetSecretValue"], "ResourceArns": [secrets["AuthorityKeySecret"]]}
    for role in roles.values():
        (told,) = inside("iam").simulate_principal_policy(PolicySourceArn=role, **asked)["EvaluationResults"]
        assert "implicitDeny" == told["EvalDecision"]
    operator = module_cloud.client("sts").get_caller_identity()["Arn"]
    code, _ = refusal(lambda: inside("iam").simulate_principal_policy(PolicySourceArn=operator, **asked))
    assert "AccessDenied" == code
