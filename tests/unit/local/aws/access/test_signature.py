"""Signatures as botocore makes them are taken; anything changed afterwards is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from signed import KEY, SECRET, chunked, environ, signed

from bootstrap.local.aws.access import signature
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server import requests

FORM = {"Content_Type": "application/x-www-form-urlencoded; charset=utf-8"}


def check(environ: requests.Environ, secret: str = SECRET, *, leeway: int = 5) -> signature.Claim:
    claim = signature.read_claim(environ)
    signature.check_time(claim, time.time(), leeway)
    signature.verify(claim, secret, environ, lambda: requests.read_body(environ))
    return claim


def refusal(environ: requests.Environ, **more: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        check(environ, **more)
    return caught.value


TAKEN = {
    "query": lambda: signed("ec2", "/", b"Action=DescribeVpcs&Version=2016-11-15", **FORM),
    "json": lambda: signed("ssm", "/", b'{"Name": "x"}', X_Amz_Target="AmazonSSM.GetParameter"),
    "rest": lambda: signed("lambda", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/invocations", b"{}"),
    "dots in the path": lambda: signed("route53", "/2013-04-01/a/../b//c/%20d", method="GET"),
    "query string": lambda: signed("route53", "/2013-04-01/hostedzone?b=2&a=%2F%20x&a=1&empty", method="GET"),
    "s3": lambda: signed("s3", "/bucket/a%20b/c%2Bd//e..f/%C3%A4?list-type=2&prefix=a%2Fb", b"text", method="PUT"),
    "session": lambda: signed("sts", "/", b"Action=GetCallerIdentity", token="a-token", **FORM),
    "presigned": lambda: signed("s3", "/bucket/key%20x?versionId=1", method="GET", expires=60),
    "presigned with a session": lambda: signed("s3", "/bucket/key", method="GET", expires=60, token="t/o+k=en"),
    "presigned query": lambda: signed("sts", "/?Action=GetCallerIdentity", method="GET", expires=60),
    "chunks": lambda: chunked([b"a" * 70_000, b"b" * 100]),
    "chunks of nothing": lambda: chunked([]),
    "chunks with a trailer": lambda: chunked([b"abc"], {"x-amz-checksum-crc32": "NSRBwg=="}),
    "spaces in a header": lambda: signed("s3", "/b/k", b"x", method="PUT", x_amz_meta_words="  many   spaces "),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_what_botocore_signs_is_taken(kind: str) -> None:
    claim = check(TAKEN[kind]())
    assert (KEY, "eu-central-1") == (claim.access_key, claim.region)


@pytest.mark.parametrize("kind", TAKEN)
def test_another_secret_is_refused(kind: str) -> None:
    assert Kind.MISMATCH is refusal(TAKEN[kind](), secret="another").kind


CHANGED = {
    "method": {"REQUEST_METHOD": "DELETE"},
    "path": {"RAW_URI": "/other"},
    "query": {"RAW_URI": "/?Action=TerminateInstances"},
    "host": {"HTTP_HOST": "elsewhere"},
    "token": {"HTTP_X_AMZ_SECURITY_TOKEN": "another"},
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_after_it_was_signed_is_refused(what: str) -> None:
    made = signed("sts", "/", b"Action=GetCallerIdentity", token="a-token", **FORM)
    assert Kind.MISMATCH is refusal({**made, **CHANGED[what]}).kind


def test_another_time_than_the_signed_one_is_refused() -> None:
    made = signed("sts", "/", b"Action=GetCallerIdentity", token="a-token", **FORM)
    two_seconds_before = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 2))
    assert Kind.MISMATCH is refusal({**made, "HTTP_X_AMZ_DATE": two_seconds_before}).kind


@pytest.mark.parametrize("service", ["ec2", "s3"])
def test_another_body_is_refused(service: str) -> None:
    made = signed(service, "/b/k", b"one", method="PUT")
    requests.set_body(made, b"two")
    refused = refusal(made)
    assert refused.kind is Kind.MISMATCH or refused.code == "XAmzContentSHA256Mismatch"


def test_a_body_may_be_left_out_of_the_signature_for_s3_alone() -> None:
    made = signed("ec2", "/", b"Action=RunInstances", X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")
    assert Kind.MISMATCH is refusal(made).kind


def test_headers_of_s3_that_are_not_signed_are_refused() -> None:
    made = signed("s3", "/b/k", b"x", method="PUT")
    made["HTTP_X_AMZ_ACL"] = "public-read"
    assert {"HeadersNotSigned": "x-amz-acl"} == refusal(made).details


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"bbb", b"bab", 1),
        lambda body: body.replace(b";chunk-signature=", b";chunk-signature=0", 1),
        lambda body: body[: len(body) // 2],
        lambda body: b"",
        lambda body: b"3\r\nabc\r\n0\r\n\r\n",
        lambda body: body.replace(b"NSRBwg==", b"NSRBwh=="),
        lambda body: body.partition(b"x-amz-trailer-signature")[0],
    ],
)
def test_chunks_that_were_changed_are_refused(change: Any) -> None:
    made = chunked([b"a" * 1000, b"b" * 1000], {"x-amz-checksum-crc32": "NSRBwg=="})
    requests.set_body(made, change(requests.read_body(made)))
    assert refusal(made).kind in {Kind.MISMATCH, Kind.INVALID}


def test_chunks_are_as_long_as_was_promised() -> None:
    made = chunked([b"abc"])
    made["HTTP_X_AMZ_DECODED_CONTENT_LENGTH"] = "4"
    assert refusal(made).kind is Kind.MISMATCH  # the header is signed


def claimed(service: str, seconds: float, expires: int | None = None) -> signature.Claim:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + seconds))
    return signature.Claim(KEY, stamp[:8], "eu-central-1", service, ("host",), "0", stamp, "", expires)


@pytest.mark.parametrize(
    ("service", "seconds", "expires", "words"),
    [
        ("ssm", -301, None, "Signature expired: {} is now earlier than "),
        ("ssm", 310, None, "Signature not yet current: {} is still later than "),
        ("s3", -301, None, ""),
        ("s3", 310, 60, ""),
        ("s3", -100, 60, ""),
    ],
)
def test_clocks_may_differ_by_minutes_alone(service: str, seconds: float, expires: int | None, words: str) -> None:
    claim = claimed(service, seconds, expires)
    with pytest.raises(Refused) as caught:
        signature.check_time(claim, time.time(), 5)
    assert caught.value.message.startswith(words.format(claim.stamp))
    signature.check_time(claimed("ssm", -280), time.time(), 5)
    signature.check_time(claimed("s3", -1000, 3600), time.time(), 5)


INCOMPLETE = [
    "AWS4-HMAC-SHA256 Signature=0",
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/r/s3/aws4_request, SignedHeaders=host",
    f"AWS4-HMAC-SHA256 Credential={KEY}, SignedHeaders=host, Signature=0",
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/r/s3/aws5_request, SignedHeaders=host, Signature=0",
    f"AWS {KEY}:signature",
    "Bearer anything",
]


@pytest.mark.parametrize("header", INCOMPLETE)
def test_half_a_signature_is_none(header: str) -> None:
    made = {"HTTP_AUTHORIZATION": header, "HTTP_X_AMZ_DATE": "20260101T000000Z"}
    assert Kind.INCOMPLETE is refusal(made).kind


def test_an_unsigned_request_is_missing_its_token() -> None:
    assert Kind.MISSING is refusal({"QUERY_STRING": "Action=DescribeVpcs"}).kind


def test_the_host_is_always_signed() -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    header = f"AWS4-HMAC-SHA256 Credential={KEY}/{stamp[:8]}/r/ec2/aws4_request, SignedHeaders=date, Signature=0"
    assert Kind.MISMATCH is refusal({"HTTP_AUTHORIZATION": header, "HTTP_X_AMZ_DATE": stamp}).kind


def test_two_signatures_are_refused() -> None:
    made = signed("s3", "/b/k", method="GET", expires=60)
    made["HTTP_AUTHORIZATION"] = INCOMPLETE[1]
    assert Kind.INVALID is refusal(made).kind


def test_a_tool_may_separate_the_parts_by_commas_alone_and_date_it_by_the_date_header() -> None:
    request = AWSRequest("GET", "http://10.0.0.1/", {"Date": "x"}, b"")
    SigV4Auth(Credentials(KEY, SECRET), "iam", "us-east-1").add_auth(request)
    made = environ(request.prepare())
    made["HTTP_AUTHORIZATION"] = made["HTTP_AUTHORIZATION"].replace(", ", ",")
    assert "us-east-1" == check(made).region


def test_the_header_of_a_presigned_request_is_written_out() -> None:
    claim = signature.read_claim(signed("s3", "/b/k", method="GET", expires=60))
    assert (
        claim == signature.read_claim({"HTTP_AUTHORIZATION": claim.header, "HTTP_X_AMZ_DATE": claim.stamp})
        or claim.expires
    )
    assert "s3" == requests.find_service({"HTTP_AUTHORIZATION": claim.header})
