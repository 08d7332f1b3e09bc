"""Finds the names of API operations, as botocore's service models have them: 'ec2.RunInstances', 's3.PutObject'.

A request of a query or JSON protocol names its operation. The operation of a REST request follows from its method and path.
"""

from __future__ import annotations

import functools
import re
import urllib.parse
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ


def convert_name(name: str) -> str:
    """Replace the service of 'service.Operation' by the name in signatures: 'elbv2.X' becomes 'elasticloadbalancing.X'.

    Raises ValueError if botocore does not know the operation.
    """
    service, _, operation = name.partition(".")
    model = _load_model(service) if service in _list_models() else None
    if model is None or operation not in model.operation_names:
        raise ValueError(f"{name} is no operation of an AWS service; write it like ec2.RunInstances")
    return f"{model.metadata.get('signingName') or model.metadata['endpointPrefix']}.{operation}"


def find_operation(environ: Environ, body: bytes) -> str:
    """'service.Operation' of a request, with the name of the service in its signature; '' if it cannot be found."""
    service = requests.find_service(environ)
    operation = requests.find_action(environ, body) or match_path(service, environ)[0]
    return f"{service}.{operation}" if service and operation else ""


@functools.cache
def list_services(service: str) -> tuple[str, ...]:
    """The services, by botocore's names, whose requests are signed with this name; mostly one, with the same name."""
    return tuple(name for name, signed in _list_signing_names().items() if signed == service)


@functools.cache
def list_protocols(model: str) -> tuple[str, ...]:
    """The protocols of a service, by botocore's name; the preferred one first."""
    metadata = _load_model(model).metadata
    return tuple(metadata.get("protocols") or [metadata["protocol"]])


# The services of moto whose name in signatures differs from botocore's name.
_SIGNING_NAMES = {
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
def _list_signing_names() -> dict[str, str]:
    return {name: _SIGNING_NAMES.get(name, name) for name in _list_models()}


@functools.cache
def _list_models() -> frozenset[str]:
    from botocore.loaders import Loader

    return frozenset(Loader().list_available_services("service-2"))


@functools.cache
def _load_model(service: str) -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"))


@dataclass(frozen=True)
class _Route:
    """How a request of one REST operation looks: its method, its path, and the query keys and headers that it must have."""

    name: str
    method: str
    path: re.Pattern[str]
    variables: tuple[str, ...]
    query: frozenset[str]
    headers: frozenset[str]

    @property
    def rank(self) -> tuple[int, int]:
        """The order in which routes are tried: routes with more required keys first."""
        return -len(self.query) - len(self.headers), self.path.pattern.count("+")


@functools.cache
def _list_routes(service: str) -> list[_Route]:
    models = [_load_model(name) for name in list_services(service) if list_protocols(name)[0].startswith("rest-")]
    routes = [_make_route(model.operation_model(name)) for model in models for name in model.operation_names]
    return sorted(routes, key=lambda route: route.rank)


def _make_route(operation: Any) -> _Route:
    path, _, query = operation.http.get("requestUri", "/").partition("?")
    pattern = re.sub(r"\\\{[^}]*\\\+\\\}", "(.+)", re.escape(path))
    pattern = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", pattern)
    shape = operation.input_shape
    required = [shape.members[name].serialization for name in shape.required_members] if shape else []
    keys = {part.partition("=")[0] for part in query.split("&") if part}
    return _Route(
        operation.name,
        operation.http.get("method", "POST"),
        re.compile(pattern + "/?"),
        tuple(re.findall(r"\{([^}+]+)\+?\}", path)),
        frozenset(keys | {member["name"] for member in required if member.get("location") == "querystring"}),
        frozenset(
            "HTTP_" + member["name"].upper().replace("-", "_")
            for member in required
            if member.get("location") == "header"
        ),
    )


def match_path(service: str, environ: Environ) -> tuple[str, dict[str, str]]:
    """The operation of a REST service that a request calls, and the variables in its path; '' and {} if there is none."""
    path = environ.get("PATH_INFO", "/")
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).keys()
    for route in _list_routes(service):
        if (
            route.method == environ.get("REQUEST_METHOD")
            and route.query <= query
            and route.headers <= environ.keys()
            and (match := route.path.fullmatch(path))
        ):
            return route.name, dict(zip(route.variables, match.groups(), strict=True))
    return "", {}
