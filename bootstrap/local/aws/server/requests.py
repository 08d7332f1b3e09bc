"""Reads from a request what the server needs: its service, region and action, its body, and whether it changes something.

Requests of AWS' query and JSON protocols name the action. Of a request of a REST protocol, the method shows whether it changes
something. Actions that only read, or that draw random numbers and change nothing, are not journalled.
"""

from __future__ import annotations

import io
import urllib.parse
from dataclasses import dataclass
from typing import Any

Environ = dict[str, Any]

_READING = ("Describe", "List", "Get", "BatchGet", "Head", "Query", "Scan", "Search", "Lookup", "Validate", "Simulate")
_CHANGES_NOTHING = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "ReEncrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateRandom",
        "GenerateMac",
        "VerifyMac",
        "Sign",
        "Verify",
        "ReceiveMessage",
        "FilterLogEvents",
        "StartQuery",
    }
)
_ENVIRON_KEYS = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "SERVER_NAME", "SERVER_PORT", "RAW_URI")


@dataclass(frozen=True)
class Response:
    """A complete answer: status code, headers and body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def read_body(environ: Environ) -> bytes:
    """Read the whole body, and put it back for the next reader. Raises the errors of `request_limits`."""
    stream = environ.get("wsgi.input")
    if stream is None:
        return b""
    length = environ.get("CONTENT_LENGTH")
    body: bytes = stream.read(int(length)) if length else stream.read() if environ.get("wsgi.input_terminated") else b""
    set_body(environ, body)
    return body


def set_body(environ: Environ, body: bytes) -> None:
    """Set the body that the next reader of the request gets."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def find_service(environ: Environ) -> str:
    """The service in the signature of the request ('ec2'); '' if it has no credential scope."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    _, _, scope = authorization.partition("Credential=")
    parts = scope.split(",")[0].split("/")
    return parts[3] if len(parts) > 4 else ""


def find_region(environ: Environ, default: str) -> str:
    """The region in the signature of the request; `default` if it has no credential scope."""
    _, _, scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    parts = scope.split(",")[0].split("/")
    return parts[2] if len(parts) > 4 else default


def find_action(environ: Environ, body: bytes) -> str:
    """The action that the request names ('RunInstances'); '' for REST protocols."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target.rpartition(".")[2])
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return str(environ.get("PATH_INFO", "").rpartition("/operation/")[2])
    form = body if "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "") else b""
    query = urllib.parse.parse_qs(form.decode(errors="replace") or environ.get("QUERY_STRING", ""))
    return str(query.get("Action", [""])[0])


def is_mutating(environ: Environ, body: bytes) -> bool:
    """Whether the request may change the local cloud, so that it must be journalled."""
    if environ.get("PATH_INFO", "").startswith("/moto-api"):
        return False
    action = find_action(environ, body)
    if not action:
        return environ.get("REQUEST_METHOD", "GET") not in {"GET", "HEAD", "OPTIONS"}
    return not action.startswith(_READING) and action not in _CHANGES_NOTHING


def is_slow(environ: Environ, body: bytes) -> bool:
    """Whether the answer may take seconds, so that other requests must not wait for it."""
    return find_action(environ, body) in {"ReceiveMessage", "Invoke"}


def make_record(environ: Environ) -> dict[str, str]:
    """The parts of the request that a replay needs, for the journal; without the body."""
    recorded = {name: str(environ[name]) for name in _ENVIRON_KEYS if name in environ}
    recorded.update({name: str(value) for name, value in environ.items() if name.startswith("HTTP_")})
    return recorded


def make_environ(record: dict[str, str], body: bytes) -> Environ:
    """A WSGI environment that repeats a request of the journal."""
    environ: Environ = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "SCRIPT_NAME": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        **record,
    }
    set_body(environ, body)
    return environ
