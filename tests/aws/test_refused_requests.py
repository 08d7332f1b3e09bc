"""Requests that the local cloud refuses whoever sends them: of pages, to moto's own API, to the control API, too long ones."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import ResponseParserError
from callers import STRANGER, ask

from tests.aws.conftest import Cloud


@pytest.mark.parametrize(("length", "status"), [(10**7, 403), (10**12, 413)])
def test_a_large_body_with_an_unknown_key_is_not_read(cloud: Cloud, length: int, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)
    connection.putrequest("PUT", "/bucket/key")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    assert status == connection.getresponse().status  # at once, though nothing was sent


def signed_by_the_operator(cloud: Cloud, **headers: str) -> Any:
    """A client whose requests have additional headers, signed or unsigned."""
    made = cloud.new_client("sts")
    made.meta.events.register("before-send.sts", lambda request, **_: request.headers.update(headers))
    return made


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_pages_are_not_answered_even_with_the_operators_signature(cloud: Cloud, headers: dict[str, str]) -> None:
    with pytest.raises(ResponseParserError, match="requests from web pages are refused"):
        signed_by_the_operator(cloud, **headers).get_caller_identity()
    status, _, answered = ask(cloud, "OPTIONS", "/", Origin="http://evil.example")
    assert 403 == status
    assert not [name for name in answered if name.lower().startswith("access-control-")]


def test_a_host_name_that_resolves_to_this_machine_is_refused(cloud: Cloud) -> None:
    assert 421 == ask(cloud, "GET", "/_bootstrap/health", Host=f"evil.example:{cloud.port}")[0]
    assert 200 == ask(cloud, "GET", "/_bootstrap/health", Host=f"localhost:{cloud.port}")[0]


@pytest.mark.parametrize(
    "path", ["/moto-api/reset", "/moto-api/recorder/start-recording", "/moto-api/", "/favicon.ico"]
)
def test_the_api_of_moto_itself_does_not_exist(cloud: Cloud, path: str) -> None:
    cloud.client("ssm").put_parameter(Name="kept", Value="1", Type="String", Overwrite=True)
    for method in ("GET", "POST"):
        assert 404 == ask(cloud, method, path)[0]
    assert "1" == cloud.client("ssm").get_parameter(Name="kept")["Parameter"]["Value"]


@pytest.mark.parametrize("service", ["motoapi.amazonaws.com", "moto_api", "instance_metadata"])
def test_the_api_of_moto_itself_is_not_reached_by_a_signed_request(cloud: Cloud, service: str) -> None:
    request = AWSRequest("POST", f"{cloud.endpoint}/moto-api/../x", {}, b"")
    keys = cloud.keys
    SigV4Auth(Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"]), service, "r").add_auth(request)
    prepared = request.prepare()
    asked = urllib.request.Request(f"{cloud.endpoint}/x", b"", dict(prepared.headers.items()), method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=30)
    assert caught.value.code in {400, 403}


@pytest.mark.parametrize("token", [None, "Bearer ", "Bearer guessed"])
def test_only_the_operator_can_inject_faults(cloud: Cloud, token: str | None) -> None:
    headers = {"Content_Type": "text/plain", **({"Authorization": token} if token else {})}
    body = b'{"faults": [{"call": "ec2.DescribeVpcs"}]}'
    for path in ("/_bootstrap/faults", "/_bootstrap/enforcement"):
        assert 401 == ask(cloud, "POST", path, body, **headers)[0]
    assert [] == cloud.control("faults")["faults"]


HEAD = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nAuthorization: {}\r\n\r\n"


def claimed(service: str, key: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0"


def answer_to(cloud: Cloud, sent: bytes) -> bytes:
    """Everything that the server sends over one connection until it closes it."""
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=30) as stream:
        stream.sendall(sent)
        return b"".join(iter(lambda: stream.recv(65536), b""))


def test_a_long_body_is_refused_before_it_is_read(cloud: Cloud) -> None:
    known = cloud.keys["aws_access_key_id"]
    for service, length in (("ec2", 50_000_000), ("cloudformation", 50_000_000), ("lambda", 500_000_000)):
        answer = answer_to(cloud, HEAD.format(length, claimed(service, known)).encode())
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
        assert b"RequestEntityTooLarge" in answer


def test_the_server_does_not_wait_for_a_long_body_with_an_unknown_key(cloud: Cloud) -> None:
    begun = time.monotonic()
    for signed in (claimed("s3", STRANGER["aws_access_key_id"]), claimed("s3", cloud.keys["aws_access_key_id"])):
        answer = answer_to(cloud, HEAD.format(900_000_000, signed).encode() + b"x")
        assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")), answer[:200]
    assert time.monotonic() - begun < 15


def test_a_length_below_zero_is_refused(cloud: Cloud) -> None:
    assert answer_to(cloud, HEAD.format(-1, claimed("ec2", "KEY")).encode()).startswith(b"HTTP/1.1 400")
