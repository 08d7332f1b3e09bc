"""The operation of a request is found for each protocol, by botocore's name."""

from __future__ import annotations

import pytest

from bootstrap.local.aws.server import operations


def request(service: str, method: str, path: str, query: str = "", **headers: str) -> dict[str, str]:
    scope = f"AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/{service}/aws4_request, Signature=b"
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_AUTHORIZATION": scope}
    return {**environ, **headers}


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        (request("ec2", "POST", "/", CONTENT_TYPE="application/x-www-form-urlencoded"), "ec2.CreateVpc"),
        (request("ssm", "POST", "/", HTTP_X_AMZ_TARGET="AmazonSSM.GetParameter"), "ssm.GetParameter"),
        (request("s3", "GET", "/"), "s3.ListBuckets"),
        (request("s3", "PUT", "/bucket"), "s3.CreateBucket"),
        (request("s3", "PUT", "/bucket", "policy"), "s3.PutBucketPolicy"),
        (request("s3", "PUT", "/bucket/some/key"), "s3.PutObject"),
        (request("s3", "PUT", "/bucket/key", HTTP_X_AMZ_COPY_SOURCE="a/b"), "s3.CopyObject"),
        (request("s3", "PUT", "/bucket/key", "uploadId=1&partNumber=2"), "s3.UploadPart"),
        (request("route53", "POST", "/2013-04-01/hostedzone"), "route53.CreateHostedZone"),
        (request("nowhere", "GET", "/"), ""),
    ],
)
def test_the_operation_of_a_request_is_found(environ: dict[str, str], name: str) -> None:
    body = b"Action=CreateVpc" if name == "ec2.CreateVpc" else b""
    assert name == operations.find_operation(environ, body)


def test_a_service_gets_its_name_in_signatures() -> None:
    assert "monitoring.PutMetricAlarm" == operations.convert_name("cloudwatch.PutMetricAlarm")
    assert "elasticloadbalancing.CreateLoadBalancer" == operations.convert_name("elbv2.CreateLoadBalancer")
    with pytest.raises(ValueError, match=r"ec2\.NoSuch is no operation"):
        operations.convert_name("ec2.NoSuch")
