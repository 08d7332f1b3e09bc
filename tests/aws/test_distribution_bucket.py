"""The bucket with the files of Jenkins in the local cloud: filled once, read by signed addresses, emptied and deleted."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bootstrap.cloud import distribution_bucket as bucket
from bootstrap.values import Change, ChangeKind
from tests.aws.conftest import REGION, Cloud
from tests.recorder import Recorder

ROOT = Path(__file__).resolve().parents[2]
STACK = "jenkins-bucketed-distribution"
SIGNING = Config(signature_version="s3v4", s3={"addressing_style": "path"})


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    cloudformation = client("cloudformation")
    given = [{"ParameterKey": "Project", "ParameterValue": "jenkins"}]
    given.append({"ParameterKey": "Environment", "ParameterValue": "bucketed"})
    body = (ROOT / "cloudformation" / "distribution.yaml").read_text()
    cloudformation.create_stack(StackName=STACK, TemplateBody=body, Parameters=given)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    (output,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    yield output["OutputValue"]
    bucket.empty_bucket(client("s3"), output["OutputValue"], Recorder())
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def get(url: str, begin: int = 0) -> bytes:
    request = urllib.request.Request(url, headers={"Range": f"bytes={begin}-"} if begin else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def signer(cloud: Cloud) -> Any:
    return boto3.session.Session().client(
        "s3", region_name=REGION, endpoint_url=cloud.endpoint, config=SIGNING, **cloud.keys
    )


def test_files_are_uploaded_once_and_read_by_their_addresses_alone(
    name: str, client: Any, cloud: Cloud, tmp_path: Path
) -> None:
    core, plugin = b"core" * 100_000, b"a plugin"
    (tmp_path / "jenkins.war").write_bytes(core)
    files: dict[str, bytes | Path] = {digest_of(core): tmp_path / "jenkins.war", digest_of(plugin): plugin}
    first, second = Recorder(), Recorder()

    urls = bucket.offer(client("s3"), signer(cloud), name, files, first)

    assert not [line for line in first.texts if line.startswith("!")]
    assert {digest_of(core): core, digest_of(plugin): plugin} == {digest: get(url) for digest, url in urls.items()}
    assert core[100:] == get(urls[digest_of(core)], begin=100)  # as a download that continues
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(urls[digest_of(core)].partition("?")[0])
    assert [f"uploading 2 files to the bucket {name}: 0.4 MB"] == first.texts
    bucket.offer(client("s3"), signer(cloud), name, files, second)
    assert [] == second.texts


def test_a_file_with_another_content_is_uploaded_again_and_a_wrong_one_refused(
    name: str, client: Any, cloud: Cloud
) -> None:
    good = b"a plugin"
    client("s3").put_object(
        Bucket=name, Key=bucket.name_key(digest_of(good)), Body=b"A plugin", ChecksumAlgorithm="SHA256"
    )

    urls = bucket.offer(client("s3"), signer(cloud), name, {digest_of(good): good}, Recorder())

    assert good == get(urls[digest_of(good)])
    wrong = Recorder()
    assert {} == bucket.offer(client("s3"), signer(cloud), name, {digest_of(b"x"): b"y"}, wrong)
    assert ["BadDigest"] == [line.split(": ")[1] for line in wrong.texts if line.startswith("!")]


def test_a_policy_that_demands_tls_is_fulfilled_and_a_denial_without_a_condition_holds(name: str, client: Any) -> None:
    """The local cloud takes the place of AWS behind HTTPS; other users than its operator are checked."""
    iam = client("iam")
    allowed = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"arn:aws:s3:::{name}/*"}
    iam.create_user(UserName="uploader")
    rules = {"Effect": "Allow", "Action": ["s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"]}
    rules["Resource"] = f"arn:aws:s3:::{name}"
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed, rules]})
    iam.put_user_policy(UserName="uploader", PolicyName="upload", PolicyDocument=document)
    key = iam.create_access_key(UserName="uploader")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    s3 = boto3.session.Session().client("s3", region_name=REGION, endpoint_url=client("s3").meta.endpoint_url, **keys)

    s3.put_object(Bucket=name, Key="files/x", Body=b"x")

    assert b"x" == s3.get_object(Bucket=name, Key="files/x")["Body"].read()
    expiry = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": expiry})
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    client("s3").put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=name, Key="files/x")


def test_the_bucket_is_deleted_with_its_stack_once_it_is_empty(name: str, client: Any, cloud: Cloud) -> None:
    report = Recorder()
    files: dict[str, bytes | Path] = {digest_of(bytes([it])): bytes([it]) for it in range(7)}
    bucket.offer(client("s3"), signer(cloud), name, files, Recorder())

    bucket.empty_bucket(client("s3"), name, report)
    bucket.empty_bucket(client("s3"), name, report)  # nothing more to tell

    assert [Change("stack", ChangeKind.REMOVE, f"7 files in the bucket {name}")] == report.changes
    cloudformation = client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    bucket.empty_bucket(client("s3"), name, report)  # a destroy that is repeated
    assert 1 == len(report.changes)


def test_what_aws_refuses_is_told_and_sent(client: Any, cloud: Cloud) -> None:
    report = Recorder()

    assert {} == bucket.offer(client("s3"), signer(cloud), "no-such-bucket-here", {digest_of(b"x"): b"x"}, report)

    (told,) = [line for line in report.texts if line.startswith("!")]
    assert "the bucket no-such-bucket-here cannot be used, so the files are sent: NoSuchBucket" in told


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_on_aws_the_address_has_the_region_whose_endpoint_the_network_has(region: str) -> None:
    from bootstrap.cloud.world import World
    from bootstrap.environment.models import Settings

    settings = Settings(environment="trial", cloud="aws", region=region, owner="a", cost_center="b")
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        variables.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        variables.delenv("AWS_ENDPOINT_URL", raising=False)
        url = (
            World(settings).make_signer(None).generate_presigned_url("get_object", Params={"Bucket": "a-b", "Key": "c"})
        )

    assert url.startswith(f"https://a-b.s3.{region}.amazonaws.com/c?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
