"""Reads the operation of a request and its parameters by name, in each protocol of AWS.

moto uses the first operation that it finds in a request. A request with two operations, for example one in the body and one in
the URL, is refused here: the operation that is checked must be the one that is carried out.
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
    """One call: its service (the name in the signature), operation, region, account and parameters."""

    service: str
    operation: str
    region: str
    account: str
    parameters: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # parameter -> values; nested ones 'Outer.Inner'
    path: str = "/"

    def list_texts(self, *names: str) -> tuple[str, ...]:
        """The values of the parameters with these names."""
        return tuple(value for name in names for value in self.parameters.get(name, ()))

    def find_text(self, *names: str) -> str:
        """The first of these values; '' if there is none."""
        return next(iter(self.list_texts(*names)), "")


def read_call(environ: Environ, body: bytes, account: str) -> Call:
    """The call of a request; raises Refused if the request is ambiguous."""
    service, region = requests.find_service(environ), requests.find_region(environ, "us-east-1")
    if service != "s3":
        _check_body(environ, body)
    query = _parse_pairs(environ.get("QUERY_STRING", ""))
    is_form = "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", "")
    form = _parse_pairs(body.decode(errors="replace")) if is_form else {}
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    is_rpc = environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor"
    actions = [
        *query.get("Action", ()),
        *form.get("Action", ()),
        *([target] if target else ()),
        *([""] if is_rpc else ()),
    ]
    if len(actions) > 1 or (actions and (query.get("Action") and form)):
        raise Refused(Kind.INVALID, "The request names more than one action", "InvalidAction")
    protocols = _list_protocols(service)
    if not protocols:
        raise Refused(Kind.MISMATCH, f"Credential should be scoped to correct service, not '{service}'.")
    if not actions:
        return _read_path_call(environ, service, region, account, {**query, **form})
    if not _is_served(protocols, target=target, is_rpc=is_rpc):
        raise Refused(Kind.INVALID, f"{service} is not called in this way", "InvalidAction")
    operation = requests.find_action(environ, body)
    parameters = dict(_flatten(_parse_json(body))) if target else _remove_numbers({**query, **form})
    return Call(service, operation, region, account, {} if is_rpc else parameters, environ.get("PATH_INFO", "/"))


def _check_body(environ: Environ, body: bytes) -> None:
    """Raise Refused for bodies that moto reads in another way: it decompresses bodies, and finds actions in any body."""
    kind = environ.get("CONTENT_TYPE", "")
    is_form = "x-www-form-urlencoded" in kind
    if "multipart/" in kind or environ.get("HTTP_CONTENT_ENCODING", "identity") not in {"", "identity"}:
        raise Refused(Kind.INVALID, "The body is neither plain nor a form", "InvalidAction")
    if not is_form and "Action" in _parse_pairs(body.decode(errors="replace")):
        raise Refused(Kind.INVALID, "The body names an action, and is no form", "InvalidAction")


def _is_served(protocols: frozenset[str], *, target: str, is_rpc: bool) -> bool:
    if target:
        return "json" in protocols
    return "smithy-rpc-v2-cbor" in protocols if is_rpc else bool(protocols & _QUERY)


@functools.cache
def _list_protocols(service: str) -> frozenset[str]:
    """The protocols of the services with this name in the signature."""
    return frozenset(
        protocol for model in operations.list_services(service) for protocol in operations.list_protocols(model)
    )


def _read_path_call(
    environ: Environ, service: str, region: str, account: str, query: Mapping[str, tuple[str, ...]]
) -> Call:
    path = environ.get("PATH_INFO", "/")
    bucket = environ.get("HTTP_HOST", "").lower().partition(".localhost")[0]
    if service == "s3" and ".localhost" in environ.get("HTTP_HOST", "").lower():
        path = f"/{bucket}{path}".rstrip("/")
    operation, variables = operations.match_path(service, {**environ, "PATH_INFO": path})
    path_parameters: dict[str, tuple[str, ...]] = {name: (value,) for name, value in variables.items()}
    return Call(service, operation, region, account, {**_remove_numbers(query), **path_parameters}, path)


def _parse_pairs(text: str) -> dict[str, tuple[str, ...]]:
    pairs: dict[str, tuple[str, ...]] = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        pairs[name] = (*pairs.get(name, ()), value)
    return pairs


def _remove_numbers(parameters: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Remove the numbers from the names: 'InstanceId.1' becomes 'InstanceId', 'Tags.member.2.Key' becomes 'Tags.Key'."""
    unnumbered: dict[str, tuple[str, ...]] = {}
    for name, values in parameters.items():
        plain = _NUMBERS.sub("", name)
        unnumbered[plain] = (*unnumbered.get(plain, ()), *values)
    return unnumbered


def _parse_json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError:
        content = {}
    return content if isinstance(content, dict) else {}


def _flatten(content: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    parameters: dict[str, tuple[str, ...]] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else str(key), inner)
        elif isinstance(value, list):
            for inner in value:
                walk(name, inner)
        elif value is not None:
            parameters[name] = (*parameters.get(name, ()), str(value))

    walk("", content)
    yield from parameters.items()
