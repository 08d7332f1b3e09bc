"""Policies of users, roles, boundaries, sessions, buckets and keys decide in the local cloud as on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from callers import ONCE, allow, refusal
from machine_role import ACCOUNT, ROOT_OF_ACCOUNT

from tests.aws.conftest import Cloud


@pytest.fixture
def person(module_cloud: Cloud) -> Iterator[Callable[..., Any]]:
    """Makes clients of a user with an inline policy and, if given, a permissions boundary."""
    iam = module_cloud.client("iam")
    iam.create_user(UserName="person")
    made = iam.create_access_key(UserName="person")["AccessKey"]
    held = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def run(service: str, *statements: dict[str, Any]) -> Any:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName="person", PolicyName="own", PolicyDocument=document)
        return boto3.client(
            service, endpoint_url=module_cloud.endpoint, region_name="eu-central-1", config=ONCE, **held
        )

    yield run
    iam.delete_user_policy(UserName="person", PolicyName="own")
    iam.delete_access_key(UserName="person", AccessKeyId=made["AccessKeyId"])
    iam.delete_user(UserName="person")


def test_an_explicit_deny_decides_and_is_named_in_the_error(person: Callable[..., Any]) -> None:
    api = person("ec2", allow("*"), {**allow("ec2:CreateVpc"), "Effect": "Deny"})
    code, words = refusal(lambda: api.create_vpc(CidrBlock="10.0.0.0/16"))
    assert "UnauthorizedOperation" == code
    assert words.endswith("with an explicit deny in an identity-based policy")


def test_a_new_policy_applies_at_once(person: Callable[..., Any]) -> None:
    assert "AccessDeniedException" == refusal(lambda: person("ssm", allow("ec2:*")).describe_parameters())[0]
    assert person("ssm", allow("ssm:DescribeParameters")).describe_parameters()["ResponseMetadata"]


def test_objects_are_reached_as_the_policies_of_user_and_bucket_say(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    owner = module_cloud.client("s3")
    owner.create_bucket(Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key in ("open/a", "closed/a"):
        owner.put_object(Bucket="shared", Key=key, Body=b"x")
    api = person("s3", allow("s3:GetObject", "arn:aws:s3:::shared/*"))
    assert b"x" == api.get_object(Bucket="shared", Key="open/a")["Body"].read()
    assert "AccessDenied" == refusal(lambda: api.put_object(Bucket="shared", Key="open/b", Body=b""))[0]
    assert "AccessDenied" == refusal(lambda: api.list_objects_v2(Bucket="shared"))[0]
    copy = {"Bucket": "shared", "Key": "stolen", "CopySource": "shared/closed/a"}
    assert "AccessDenied" == refusal(lambda: api.copy_object(**copy))[0]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared/closed/*",
    }
    owner.put_bucket_policy(Bucket="shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    _, words = refusal(lambda: api.get_object(Bucket="shared", Key="closed/a"))
    assert 's3:GetObject on resource: "arn:aws:s3:::shared/closed/a" with an explicit deny in a resource-based' in words


def test_a_role_can_be_assumed_by_principals_that_it_trusts(module_cloud: Cloud, person: Callable[..., Any]) -> None:
    iam = module_cloud.client("iam")

    def trusting(name: str, principal: dict[str, str], **more: Any) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])

    user = f"arn:aws:iam::{ACCOUNT}:user/person"
    by_account, by_name = trusting("by-account", {"AWS": ROOT_OF_ACCOUNT}), trusting("by-name", {"AWS": user})
    ec2 = trusting("ec2", {"Service": "ec2.amazonaws.com"})
    secret = {"StringEquals": {"sts:ExternalId": "secret"}}
    outside = trusting("outside", {"AWS": ROOT_OF_ACCOUNT}, Condition=secret)
    named = {"RoleSessionName": "job"}
    api = person("sts", allow("ec2:*"))
    assert api.assume_role(RoleArn=by_name, **named)["Credentials"]
    code, words = refusal(lambda: api.assume_role(RoleArn=by_account, **named))
    assert ("AccessDenied", f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {by_account}") == (
        code,
        words,
    )
    api = person("sts", allow("sts:AssumeRole"))
    assert api.assume_role(RoleArn=by_account, **named)["Credentials"]
    for arn, more in ((ec2, {}), (outside, {}), (outside, {"ExternalId": "guess"}), (f"{ec2}-gone", {})):
        assert "AccessDenied" == refusal(lambda arn=arn, more=more: api.assume_role(RoleArn=arn, **named, **more))[0]
    assert api.assume_role(RoleArn=outside, ExternalId="secret", **named)["Credentials"]
    assert "AccessDenied" == refusal(lambda: module_cloud.client("sts").assume_role(RoleArn=ec2, **named))[0]
    seconds = refusal(lambda: api.assume_role(RoleArn=by_account, DurationSeconds=7200, **named))
    assert "exceeds the MaxSessionDuration" in seconds[1]
    for name in ("by-account", "by-name", "ec2", "outside"):
        iam.delete_role(RoleName=name)


def test_a_boundary_and_a_session_policy_limit_permissions(module_cloud: Cloud) -> None:
    iam, sts = module_cloud.client("iam"), module_cloud.client("sts")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:*")]})
    boundary = iam.create_policy(PolicyName="bound", PolicyDocument=document)["Policy"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT_OF_ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    asked = {"RoleName": "bounded", "AssumeRolePolicyDocument": trusted, "PermissionsBoundary": boundary}
    arn = iam.create_role(**asked)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="bounded", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    def client(service: str, **more: Any) -> Any:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="job", **more)["Credentials"]
        held = [given[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        session = boto3.Session(*held, region_name="eu-central-1")
        return session.client(service, endpoint_url=module_cloud.endpoint, config=ONCE)

    assert client("ssm").put_parameter(Name="bounded", Value="x", Type="String")
    _, words = refusal(client("ec2").describe_vpcs)
    assert words.endswith("because no permissions boundary allows the ec2:DescribeVpcs action")
    session = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:GetParameter")]})
    bounded = client("ssm", Policy=session)
    assert "x" == bounded.get_parameter(Name="bounded")["Parameter"]["Value"]
    _, words = refusal(lambda: bounded.delete_parameter(Name="bounded"))
    assert words.endswith("because no session policy allows the ssm:DeleteParameter action")
    tagged = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [allow("ssm:*", Condition={"StringEquals": {"aws:PrincipalTag/Stage": "a"}})],
        }
    )
    right, wrong = ([{"Key": "Stage", "Value": value}] for value in "ab")
    assert client("ssm", Policy=tagged, Tags=right).get_parameter(Name="bounded")
    assert (
        "AccessDeniedException"
        == refusal(lambda: client("ssm", Policy=tagged, Tags=wrong).get_parameter(Name="bounded"))[0]
    )


def test_a_call_that_uses_a_customer_key_needs_permissions_for_the_key(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    key = module_cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    zone = module_cloud.client("ec2").describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = {"AvailabilityZone": zone, "Size": 1, "Encrypted": True, "KmsKeyId": key}
    services = allow("secretsmanager:*"), allow("ec2:*")
    uses = {
        "kms:GenerateDataKey": lambda api: api("secretsmanager").create_secret(
            Name="a", SecretString="x", KmsKeyId=key
        ),
        "kms:GenerateDataKeyWithoutPlaintext": lambda api: api("ec2").create_volume(**volume),
    }
    for action, use in uses.items():
        _, words = refusal(lambda use=use: use(lambda service: person(service, *services)))
        assert f"is not authorized to perform: {action} on resource: {key} because no identity-based" in words
    granted = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    by_ec2 = {"StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}}
    keys = [
        allow("kms:GenerateDataKey*", key),
        allow("kms:Decrypt", key),
        allow("kms:CreateGrant", key, Condition=granted | by_ec2),
    ]
    for use in uses.values():
        assert use(lambda service: person(service, *services, *keys))
    without_grant = person("ec2", *services, *keys[:2])
    assert "kms:CreateGrant" in refusal(lambda: without_grant.create_volume(**volume))[1]
    del volume["KmsKeyId"]
    assert without_grant.create_volume(**volume)["KmsKeyId"] != key  # the key of AWS is everybody's


def test_a_role_can_be_changed_only_with_the_boundary_that_the_policy_requires(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    iam = module_cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:*")]})
    boundary = iam.create_policy(PolicyName="demanded", PolicyDocument=document)["Policy"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=trusted)
    demanded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    api = person("iam", allow("iam:*Role*", Condition=demanded), allow("iam:DeleteRole"))
    policy = {"PolicyName": "x", "PolicyDocument": document}
    for refused in (
        lambda: api.create_role(RoleName="new", AssumeRolePolicyDocument=trusted),
        lambda: api.put_role_policy(RoleName="free", **policy),
        lambda: api.delete_role_permissions_boundary(RoleName="free"),
    ):
        assert "AccessDenied" == refusal(refused)[0]
    assert api.create_role(RoleName="new", AssumeRolePolicyDocument=trusted, PermissionsBoundary=boundary)
    assert api.put_role_policy(RoleName="new", **policy)
    assert api.put_role_permissions_boundary(RoleName="free", PermissionsBoundary=boundary)
    assert api.put_role_policy(RoleName="free", **policy)


def test_a_boundary_that_does_not_exist_is_refused(module_cloud: Cloud) -> None:
    iam, absent = module_cloud.client("iam"), f"arn:aws:iam::{ACCOUNT}:policy/absent"
    iam.create_role(RoleName="unbounded", AssumeRolePolicyDocument="{}")
    expected = ("NoSuchEntity", f"Scope ARN: {absent} does not exist or is not attachable.")
    for refused in (
        lambda: iam.create_role(RoleName="x", AssumeRolePolicyDocument="{}", PermissionsBoundary=absent),
        lambda: iam.put_role_permissions_boundary(RoleName="unbounded", PermissionsBoundary=absent),
    ):
        assert expected == refusal(refused)


def test_a_log_group_needs_a_key_whose_policy_allows_cloudwatch_logs(module_cloud: Cloud) -> None:
    kms, logs = module_cloud.client("kms"), module_cloud.client("logs")
    closed = kms.create_key()["KeyMetadata"]["Arn"]
    code, words = refusal(lambda: logs.create_log_group(logGroupName="closed", kmsKeyId=closed))
    assert "AccessDeniedException" == code and "is not allowed to be used with LogGroup" in words
    group = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:own-*"
    statement = allow(
        "kms:*",
        Principal={"Service": "logs.eu-central-1.amazonaws.com"},
        Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}},
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    named = kms.create_key(Policy=document, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    assert logs.create_log_group(logGroupName="own-group", kmsKeyId=named)
    assert "AccessDeniedException" == refusal(lambda: logs.create_log_group(logGroupName="other", kmsKeyId=named))[0]
