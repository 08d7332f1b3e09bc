"""Requests that a web page makes a browser send are refused; requests of AWS clients are accepted."""

from __future__ import annotations

import pytest

from bootstrap.local.aws.server import browser_requests

ADDRESSES = ("127.0.0.1", "10.42.0.1")


def status(host: str = "127.0.0.1:4000", path: str = "/", **headers: str) -> int:
    refusal = browser_requests.find_refusal({"HTTP_HOST": host, "PATH_INFO": path, **headers}, ADDRESSES)
    return refusal.status if refusal else 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4000", "10.42.0.1:4000", "127.0.0.1", "localhost:4000", "LocalHost", "bucket.localhost:4000"]
)
def test_an_address_of_the_server_is_accepted(host: str) -> None:
    assert 200 == status(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:4000",
        "127.0.0.1.evil.example",
        "10.42.0.2",
        "localhost.evil.example",
        "evil.example#.localhost",
        "a.b.localhost",
        "www.localhost",
        "ec2.eu-central-1.amazonaws.com",
        "[::1]:4000",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    assert 421 == status(host)


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "http://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": ""},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "anything"},
    ],
)
def test_pages_are_refused(headers: dict[str, str]) -> None:
    assert 403 == status(**headers)


def test_a_person_may_type_an_address() -> None:
    assert 200 == status(HTTP_SEC_FETCH_SITE="none")


@pytest.mark.parametrize("path", ["/moto-api", "/moto-api/reset", "//moto-api/reset", "/moto-apix", "/favicon.ico"])
def test_the_api_of_moto_is_not_served(path: str) -> None:
    assert 404 == status(path=path)


def test_no_other_origin_may_read_an_answer() -> None:
    headers = (("Access-Control-Allow-Origin", "*"), ("ETag", "x"), ("access-control-max-age", "1"))
    assert [("ETag", "x")] == browser_requests.remove_cors(headers)
