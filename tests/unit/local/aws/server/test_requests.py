"""Which requests are journalled, and how a recorded request is repeated."""

from __future__ import annotations

import io

import pytest

from bootstrap.local.aws.server import requests

SIGNED = "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0"


def query(action: str) -> tuple[requests.Environ, bytes]:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded", "PATH_INFO": "/"}
    return environ, f"Action={action}&Version=1".encode()


@pytest.mark.parametrize("action", ["RunInstances", "CreateTags", "AssumeRole", "PutParameter", "TerminateInstances"])
def test_changing_actions_are_journalled(action: str) -> None:
    assert requests.is_mutating(*query(action))


@pytest.mark.parametrize("action", ["DescribeInstances", "ListRoles", "GetRole", "ReceiveMessage", "Decrypt"])
def test_reading_actions_are_not_journalled(action: str) -> None:
    assert not requests.is_mutating(*query(action))


@pytest.mark.parametrize(
    ("target", "is_journalled"),
    [("secretsmanager.CreateSecret", True), ("secretsmanager.GetSecretValue", False), ("AmazonSSM.PutParameter", True)],
)
def test_the_target_of_the_json_protocol_decides(target: str, is_journalled: bool) -> None:
    assert is_journalled == requests.is_mutating({"REQUEST_METHOD": "POST", "HTTP_X_AMZ_TARGET": target}, b"{}")


@pytest.mark.parametrize(
    ("method", "is_journalled"), [("GET", False), ("HEAD", False), ("PUT", True), ("DELETE", True)]
)
def test_the_method_of_a_rest_protocol_decides(method: str, is_journalled: bool) -> None:
    assert is_journalled == requests.is_mutating({"REQUEST_METHOD": method, "PATH_INFO": "/bucket"}, b"")


def test_service_and_region_come_from_the_signature() -> None:
    assert "ec2" == requests.find_service({"HTTP_AUTHORIZATION": SIGNED})
    assert "eu-central-1" == requests.find_region({"HTTP_AUTHORIZATION": SIGNED}, "x")
    assert "" == requests.find_service({})
    assert "x" == requests.find_region({}, "x")


def test_body_is_read_whole_and_put_back() -> None:
    environ = {"wsgi.input": io.BytesIO(b"hello and more"), "CONTENT_LENGTH": "5"}
    assert b"hello" == requests.read_body(environ)
    assert b"hello" == requests.read_body(environ)


def test_recorded_request_is_repeated_with_its_headers() -> None:
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/a",
        "HTTP_HOST": "h",
        "wsgi.input": io.BytesIO(b"x"),
        "odd": object(),
    }
    again = requests.make_environ(requests.make_record(environ), b"x")
    assert ("PUT", "/a", "h", b"x") == (
        again["REQUEST_METHOD"],
        again["PATH_INFO"],
        again["HTTP_HOST"],
        requests.read_body(again),
    )
