"""Names of API operations, as botocore's descriptions of the services have them: 'ec2.RunInstances', 's3.PutObject'.

A request of a query or JSON protocol carries its operation; one of a REST protocol is known by its method and path.
"""

from __future__ import annotations

import functools
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ


def known(name: str) -> str:
    """'service.Operation' with the service by the name that requests are signed with; raises ValueError when unknown."""
    service, _, operation = name.partition(".")
    model = _load(service) if service in _models() else None
    if model is None or operation not in model.operation_names:
        raise ValueError(f"{name} is no operation of an AWS service (as in ec2.RunInstances)")
    return f"{model.metadata.get('signingName') or model.metadata['endpointPrefix']}.{operation}"


def name_of(environ: Environ, body: bytes) -> str:
    """'service.Operation' of a request, the service by the name that it is signed with; '' when it cannot be told."""
    service = requests.service_of(environ)
    operation = requests.action_of(environ, body) or by_path(service, environ)[0]
    return f"{service}.{operation}" if service and operation else ""


@functools.cache
def signed_as(service: str) -> tuple[str, ...]:
    """The services whose requests are signed with this name, as botocore calls them: most are one, by its own name."""
    return tuple(name for name, signed in _signing_names().items() if signed == service)


@functools.cache
def protocols(model: str) -> tuple[str, ...]:
    """The protocols that a service is spoken to in."""
    metadata = _load(model).metadata
    return tuple(metadata.get("protocols") or [metadata["protocol"]])


# Of the services that moto has: those that sign with another name than botocore calls them by.
_SIGNED_OTHERWISE = {
    "accessanalyzer": "access-analyzer",
    "amp": "aps",
    "apigatewayv2": "apigateway",
    "cloudwatch": "monitoring",
    "dynamodbstreams": "dynamodb",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tagging",
    "s3control": "s3",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
    "sso-admin": "sso",
    "stepfunctions": "states",
}


@functools.cache
def _signing_names() -> dict[str, str]:
    return {name: _SIGNED_OTHERWISE.get(name, name) for name in _models()}


@functools.cache
def _models() -> frozenset[str]:
    from botocore.loaders import Loader

    return frozenset(Loader().list_available_services("service-2"))


@functools.cache
def _load(service: str) -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"))


@dataclass(frozen=True)
class _Route:
    """How one operation of a REST service is told: method, path, and what the request must have besides."""

    name: str
    method: str
    path: re.Pattern[str]
    variables: tuple[str, ...]
    query: frozenset[str]
    headers: frozenset[str]

    @property
    def rank(self) -> tuple[int, int]:
        """The most particular come first."""
        return -len(self.query) - len(self.headers), self.path.pattern.count("+")


@functools.cache
def _routes(service: str) -> list[_Route]:
    models = [_load(name) for name in signed_as(service) if protocols(name)[0].startswith("rest-")]
    routes = [_route(model.operation_model(name)) for model in models for name in model.operation_names]
    return sorted(routes, key=lambda one: one.rank)


def _route(operation: Any) -> _Route:
    path, _, query = operation.http.get("requestUri", "/").partition("?")
    pattern = re.sub(r"\\\{[^}]*\\\+\\\}", "(.+)", re.escape(path))
    pattern = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", pattern)
    shape = operation.input_shape
    needed = [shape.members[name].serialization for name in shape.required_members] if shape else []
    asked = {part.partition("=")[0] for part in query.split("&") if part}
    return _Route(
        operation.name,
        operation.http.get("method", "POST"),
        re.compile(pattern + "/?"),
        tuple(re.findall(r"\{([^}+]+)\+?\}", path)),
        frozenset(asked | {one["name"] for one in needed if one.get("location") == "querystring"}),
        frozenset("HTTP_" + one["name"].upper().replace("-", "_") for one in needed if one.get("location") == "header"),
    )


def by_path(service: str, environ: Environ) -> tuple[str, dict[str, str]]:
    """The operation of a REST service that a request calls, and what its path names; '' where none is."""
    path = environ.get("PATH_INFO", "/")
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).keys()
    for one in _routes(service):
        if (
            one.method == environ.get("REQUEST_METHOD")
            and one.query <= query
            and one.headers <= environ.keys()
            and (match := one.path.fullmatch(path))
        ):
            return one.name, dict(zip(one.variables, match.groups(), strict=True))
    return "", {}
