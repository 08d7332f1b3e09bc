"""Nobody but who has keys of this cloud is answered: attacks on its server, with the words of the service that is called."""

from __future__ import annotations

import json
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from callers import FORM, STRANGER, api, ask, refusal

from tests.aws.conftest import Cloud

CALLS: dict[str, Callable[[Any], Any]] = {
    "ec2": lambda api: api.run_instances(ImageId="ami-0", MinCount=1, MaxCount=1, UserData="#!/bin/sh"),
    "iam": lambda api: api.create_user(UserName="attacker"),
    "sts": lambda api: api.get_caller_identity(),
    "cloudformation": lambda api: api.create_stack(StackName="a", TemplateBody="{}"),
    "ssm": lambda api: api.put_parameter(Name="a", Value="b", Type="String"),
    "secretsmanager": lambda api: api.list_secrets(),
    "s3": lambda api: api.create_bucket(Bucket="attacked"),
    "lambda": lambda api: api.list_functions(),
    "route53": lambda api: api.list_hosted_zones(),
    "cloudwatch": lambda api: api.describe_alarms(),
}
UNKNOWN = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    **dict.fromkeys(
        ("iam", "sts", "cloudformation", "route53"),
        ("InvalidClientTokenId", "The security token included in the request is invalid."),
    ),
    **dict.fromkeys(
        ("ssm", "secretsmanager", "lambda", "cloudwatch"),
        ("UnrecognizedClientException", "The security token included in the request is invalid."),
    ),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
}
MISMATCH = {
    "ec2": "AuthFailure",
    **dict.fromkeys(("iam", "sts", "cloudformation", "route53", "s3"), "SignatureDoesNotMatch"),
    **dict.fromkeys(("ssm", "secretsmanager", "lambda", "cloudwatch"), "InvalidSignatureException"),
}
EXPIRED = {
    "ec2": "RequestExpired",
    **dict.fromkeys(("iam", "sts", "cloudformation", "route53", "s3"), "ExpiredToken"),
    **dict.fromkeys(("ssm", "secretsmanager", "lambda", "cloudwatch"), "ExpiredTokenException"),
}


def as_keys(given: dict[str, Any]) -> dict[str, str]:
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.mark.parametrize("service", CALLS)
def test_keys_that_this_cloud_did_not_issue_are_refused(cloud: Cloud, service: str) -> None:
    before = cloud.records()
    assert UNKNOWN[service] == refusal(lambda: CALLS[service](api(cloud, service, **STRANGER)))
    assert before == cloud.records()


@pytest.mark.parametrize("service", CALLS)
def test_the_operators_id_with_another_secret_is_refused(cloud: Cloud, service: str) -> None:
    keys = {**cloud.keys, "aws_secret_access_key": "guessed"}
    assert MISMATCH[service] == refusal(lambda: CALLS[service](api(cloud, service, **keys)))[0]


@pytest.mark.parametrize("service", CALLS)
def test_a_session_token_that_does_not_belong_to_the_key_is_refused(cloud: Cloud, service: str) -> None:
    codes = {UNKNOWN[service][0], "InvalidToken"}
    keys = {**cloud.keys, "aws_session_token": "made up"}
    assert refusal(lambda: CALLS[service](api(cloud, service, **keys)))[0] in codes


WEB_IDENTITY = b"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/a"
SIGN_UP = "AWSCognitoIdentityProviderService.SignUp"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code"),
    [
        ("POST", "/", b"Action=RunInstances&Version=2016-11-15", {"Content_Type": FORM}, "AccessDenied"),
        ("GET", "/?Action=ListUsers&Version=2010-05-08", b"", {}, "MissingAuthenticationToken"),
        ("POST", "/", b"{}", {"X_Amz_Target": "AmazonSSM.GetParameter"}, "MissingAuthenticationTokenException"),
        ("PUT", "/bucket", b"", {}, "AccessDenied"),
        ("GET", "/ec2_eu-central-1/?Action=DescribeVpcs", b"", {}, "MissingAuthenticationToken"),
        ("POST", "/", WEB_IDENTITY, {"Content_Type": FORM}, "InvalidIdentityToken"),
        ("POST", "/", b"{}", {"X_Amz_Target": SIGN_UP}, "MissingAuthenticationTokenException"),
        ("GET", "/eu-central-1_pool/.well-known/jwks.json", b"", {}, "AccessDenied"),
        ("GET", "/", b"", {"Authorization": "AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl"}, "AuthorizationHeaderMalformed"),
    ],
)  # fmt: skip
def test_unsigned_requests_are_refused(
    cloud: Cloud, method: str, path: str, body: bytes, headers: dict[str, str], code: str
) -> None:
    before = cloud.records()
    status, text, _ = ask(cloud, method, path, body, **headers)
    assert status in {400, 403}
    assert code in text or (code == "AccessDenied" and "MissingAuthenticationToken" in text)
    assert before == cloud.records()


def test_an_account_cannot_be_named_in_a_header(cloud: Cloud) -> None:
    sts = cloud.new_client("sts")
    sts.meta.events.register(
        "before-send.sts", lambda request, **_: request.headers.__setitem__("x-moto-account-id", "999999999999")
    )
    assert "123456789012" == sts.get_caller_identity()["Account"]


def test_the_operator_is_the_administrator(cloud: Cloud) -> None:
    told = cloud.client("sts").get_caller_identity()
    assert ("arn:aws:iam::123456789012:user/operator", "123456789012") == (told["Arn"], told["Account"])


def test_keys_and_token_are_random_and_only_their_owner_can_read_them(cloud: Cloud, own_cloud: Cloud) -> None:
    for name in ("credentials", "control-token"):
        paths = [one.state / name for one in (cloud, own_cloud)]
        assert [0o600, 0o600] == [stat.S_IMODE(path.stat().st_mode) for path in paths]
        assert paths[0].read_text() != paths[1].read_text()
    assert UNKNOWN["iam"] == refusal(lambda: CALLS["iam"](api(cloud, "iam", **own_cloud.keys)))


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    name = f"signed-{uuid.uuid4().hex[:8]}"
    place = {"LocationConstraint": "eu-central-1"}
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)
    cloud.client("s3").put_object(Bucket=name, Key="a b/c+d", Body=b"kept")
    return name


def presigned(cloud: Cloud, bucket: str, seconds: int = 60, key: str = "a b/c+d", **keys: Any) -> str:
    s3 = api(cloud, "s3", **(keys or cloud.keys))
    url: str = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, seconds)
    return url


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_presigned_url_gives_its_object_and_nothing_else(cloud: Cloud, bucket: str) -> None:
    url = presigned(cloud, bucket)
    assert (200, "kept") == get(url)
    for changed in (url.replace("a%20b", "other"), url.replace("Expires=60", "Expires=61"), f"{url}&acl"):
        status, text = get(changed)
        assert (403, True) == (status, "SignatureDoesNotMatch" in text)
    assert 403 == get(presigned(cloud, bucket, **STRANGER))[0]


def test_a_presigned_url_is_valid_until_it_expires(cloud: Cloud, bucket: str) -> None:
    url = presigned(cloud, bucket, 1)
    time.sleep(2.1)
    status, text = get(url)
    assert (403, True) == (status, "Request has expired" in text)


def test_uploads_of_every_kind_are_accepted(cloud: Cloud, bucket: str) -> None:
    s3 = cloud.client("s3")
    for algorithm in ("CRC32", "SHA256"):
        s3.put_object(Bucket=bucket, Key="summed", Body=b"x" * 200_000, ChecksumAlgorithm=algorithm)
        assert b"x" * 200_000 == s3.get_object(Bucket=bucket, Key="summed")["Body"].read()
    begun = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    named = {"Bucket": bucket, "Key": "parts", "UploadId": begun}
    tag = s3.upload_part(**named, PartNumber=1, Body=b"part")["ETag"]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    assert b"part" == s3.get_object(Bucket=bucket, Key="parts")["Body"].read()


def test_a_session_is_valid_after_a_kill_until_it_expires(own_cloud: Cloud) -> None:
    given = own_cloud.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    own_cloud.end(9)
    own_cloud.start()
    told = api(own_cloud, "sts", **as_keys(given)).get_caller_identity()
    assert "arn:aws:iam::123456789012:user/operator" == told["Arn"]
    without = {name: value for name, value in as_keys(given).items() if name != "aws_session_token"}
    assert UNKNOWN["sts"] == refusal(lambda: CALLS["sts"](api(own_cloud, "sts", **without)))
    again = refusal(lambda: api(own_cloud, "sts", **as_keys(given)).get_session_token())
    assert "Cannot call GetSessionToken with session credentials" in again[1]


def test_expired_credentials_are_refused_with_the_error_of_each_service(own_cloud: Cloud) -> None:
    given = own_cloud.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    own_cloud.end()
    journal = own_cloud.state / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if line.get("event") == "session":
            line["expires"] = int(time.time()) - 1
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    own_cloud.start()
    for service, call in CALLS.items():
        made = api(own_cloud, service, **as_keys(given))
        assert EXPIRED[service] == refusal(lambda call=call, made=made: call(made))[0], service


def test_a_users_keys_are_accepted_until_they_are_inactive(own_cloud: Cloud) -> None:
    iam = own_cloud.client("iam")
    iam.create_user(UserName="person")
    made = iam.create_access_key(UserName="person")["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    sts = api(own_cloud, "sts", **keys)
    assert "arn:aws:iam::123456789012:user/person" == sts.get_caller_identity()["Arn"]
    iam.update_access_key(UserName="person", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    assert UNKNOWN["sts"] == refusal(sts.get_caller_identity)
