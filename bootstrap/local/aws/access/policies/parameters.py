"""What a request asks for: the operation, and its parameters by their names, whichever protocol carries them.

moto takes the operation from wherever it finds one. A request that names two, one in the body and one in the address, say, is
refused here: what is carried out must be what was judged.
"""

from __future__ import annotations

import functools
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server import operations, requests
from bootstrap.local.aws.server.requests import Environ

_NUMBERS = re.compile(r"\.(?:member\.|entry\.)?\d+(?=\.|$)")
_QUERY = frozenset({"query", "ec2"})


@dataclass(frozen=True)
class Call:
    """One call: of which service (by the name that it is signed with), which operation, in which region, with what."""

    service: str
    operation: str
    region: str
    account: str
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # parameter -> values; nested ones 'Outer.Inner'
    path: str = "/"

    def texts(self, *names: str) -> tuple[str, ...]:
        """The values of the parameters with these names."""
        return tuple(value for name in names for value in self.given.get(name, ()))

    def text(self, *names: str) -> str:
        """The first of these values."""
        return next(iter(self.texts(*names)), "")


def read(environ: Environ, body: bytes, account: str) -> Call:
    """What the request asks for; raises Refused where that is not plain."""
    service, region = requests.find_service(environ), requests.find_region(environ, "us-east-1")
    if service != "s3":
        _check_body(environ, body)
    query = _pairs(environ.get("QUERY_STRING", ""))
    is_form = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
    form = _pairs(body.decode(errors="replace")) if is_form else {}
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    is_rpc = environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor"
    named = [
        *query.get("Action", ()),
        *form.get("Action", ()),
        *([target] if target else ()),
        *([""] if is_rpc else ()),
    ]
    if len(named) > 1 or (named and (query.get("Action") and form)):
        raise Refused(Kind.INVALID, "The request names more than one action", "InvalidAction")
    protocols = _protocols(service)
    if not protocols:
        raise Refused(Kind.MISMATCH, f"Credential should be scoped to correct service, not '{service}'.")
    if not named:
        return _of_path(environ, service, region, account, {**query, **form})
    if not _fits(protocols, target=target, is_rpc=is_rpc):
        raise Refused(Kind.INVALID, f"{service} is not called in this way", "InvalidAction")
    operation = requests.find_action(environ, body)
    given = dict(_flat(_json(body))) if target else _without_numbers({**query, **form})
    return Call(service, operation, region, account, {} if is_rpc else given, environ.get("PATH_INFO", "/"))


def _check_body(environ: Environ, body: bytes) -> None:
    """Refuse what moto would read otherwise: it looks for an action in any body, and unpacks bodies first."""
    kind = environ.get("CONTENT_TYPE", "")
    is_form = "x-www-form-urlencoded" in kind
    if "multipart/" in kind or environ.get("HTTP_CONTENT_ENCODING", "identity") not in {"", "identity"}:
        raise Refused(Kind.INVALID, "The body is neither plain nor a form", "InvalidAction")
    if not is_form and "Action" in _pairs(body.decode(errors="replace")):
        raise Refused(Kind.INVALID, "The body names an action, and is no form", "InvalidAction")


def _fits(protocols: frozenset[str], *, target: str, is_rpc: bool) -> bool:
    if target:
        return "json" in protocols
    return "smithy-rpc-v2-cbor" in protocols if is_rpc else bool(protocols & _QUERY)


@functools.cache
def _protocols(service: str) -> frozenset[str]:
    """The protocols of the services that are signed for by this name."""
    return frozenset(
        protocol for model in operations.list_services(service) for protocol in operations.list_protocols(model)
    )


def _of_path(environ: Environ, service: str, region: str, account: str, query: Mapping[str, tuple[str, ...]]) -> Call:
    path = environ.get("PATH_INFO", "/")
    bucket = environ.get("HTTP_HOST", "").lower().partition(".localhost")[0]
    if service == "s3" and ".localhost" in environ.get("HTTP_HOST", "").lower():
        path = f"/{bucket}{path}".rstrip("/")
    operation, variables = operations.match_path(service, {**environ, "PATH_INFO": path})
    given: dict[str, tuple[str, ...]] = {name: (value,) for name, value in variables.items()}
    return Call(service, operation, region, account, {**_without_numbers(query), **given}, path)


def _pairs(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        found[name] = (*found.get(name, ()), value)
    return found


def _without_numbers(given: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """'InstanceId.1' and 'Tags.member.2.Key' as 'InstanceId' and 'Tags.Key'."""
    found: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        plain = _NUMBERS.sub("", name)
        found[plain] = (*found.get(plain, ()), *values)
    return found


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    found: dict[str, tuple[str, ...]] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                walk(f"{name}.{key}" if name else str(key), one)
        elif isinstance(value, list):
            for one in value:
                walk(name, one)
        elif value is not None:
            found[name] = (*found.get(name, ()), str(value))

    walk("", given)
    yield from found.items()
