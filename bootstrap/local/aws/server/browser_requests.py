"""Refuses the requests that a web page can make a browser send, before any other part of the server reads them.

A page can send requests to any address, also by a host name that its owner resolves to this machine (DNS rebinding). So the
Host header of a request must be localhost or an address that the server listens on, and the request must not come from a page.
No answer has a header that allows a page to read it. moto's own API and pages, which AWS does not have, are not served.
"""

from __future__ import annotations

import re
from collections.abc import Container

from bootstrap.local.aws.server.requests import Environ, Response

_LOCALHOST = re.compile(r"(?!www\.)([a-z0-9-]+\.)?localhost")  # also with the name of an S3 bucket: bucket.localhost
_MOTO_PATHS = ("/moto-api", "/favicon.ico")


def find_refusal(environ: Environ, addresses: Container[str]) -> Response | None:
    """The answer to a request that no client of AWS sends: status 421, 403 or 404; None for all other requests.

    `addresses` are the addresses on which the server listens.
    """
    host = environ.get("HTTP_HOST", "").partition(":")[0].lower()
    if host not in addresses and not _LOCALHOST.fullmatch(host):
        return _make_response(421, f"the Host header is {host or 'missing'}: use an address of this server")
    if "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}:
        return _make_response(403, "requests from web pages are refused")
    if environ.get("PATH_INFO", "").lstrip("/").startswith(tuple(path[1:] for path in _MOTO_PATHS)):
        return _make_response(404, "")
    return None


def remove_cors(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The headers of an answer, without those that allow pages of other origins to read it (CORS)."""
    return [pair for pair in headers if not pair[0].lower().startswith("access-control-")]


def _make_response(status: int, text: str) -> Response:
    return Response(status, (("Content-Type", "text/plain"),), text.encode())
