"""What a web page can make a browser send is refused before anything else looks at it.

A page may send requests to any address, also with a name of its own that it lets mean this machine (DNS rebinding). So a
request must name the server by an address that it listens on, or as localhost; it must not come from a page; and no answer
lets a page read it. What moto has beside AWS's services (its own API, its pages) is not there.
"""

from __future__ import annotations

import re
from collections.abc import Container

from bootstrap.local.aws.server.requests import Environ, Response

_LOCALHOST = re.compile(r"(?!www\.)([a-z0-9-]+\.)?localhost")  # or a bucket of S3 there: bucket.localhost
_NOT_OURS = ("/moto-api", "/favicon.ico")


def refusal(environ: Environ, addresses: Container[str]) -> Response | None:
    """The refusal of a request that no client of AWS sends; None for all others. `addresses` are those listened on."""
    host = environ.get("HTTP_HOST", "").partition(":")[0].lower()
    if host not in addresses and not _LOCALHOST.fullmatch(host):
        return _text(421, f"this server is not {host or 'without a name'}: name it by its address")
    if "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}:
        return _text(403, "web pages are not answered")
    if environ.get("PATH_INFO", "").lstrip("/").startswith(tuple(path[1:] for path in _NOT_OURS)):
        return _text(404, "")
    return None


def without_sharing(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The headers of an answer, less those that let pages of other origins read it (CORS)."""
    return [pair for pair in headers if not pair[0].lower().startswith("access-control-")]


def _text(status: int, text: str) -> Response:
    return Response(status, (("Content-Type", "text/plain"),), text.encode())
