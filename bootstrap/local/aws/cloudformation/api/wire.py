"""CloudFormation's query protocol: parses forms and writes XML, both by botocore's own description of the service.

So botocore can always parse the answers, and the names of operations that this engine does not have are known.
"""

from __future__ import annotations

import datetime
import functools
import re
import urllib.parse
from typing import Any
from xml.sax.saxutils import escape

from bootstrap.local.aws.cloudformation.errors import Refused

FIELDS = 20_000  # of one request
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@functools.cache
def load_model() -> Any:
    """Return botocore's description of CloudFormation."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("cloudformation", "service-2"))


def parse(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the name of the operation, and its input with the types of the service's description.

    {} for an unknown operation. Raises Refused for a request without a required member.
    """
    try:
        pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:
        raise Refused("The request is not a form in UTF-8, or has too many fields", "MalformedInput") from None
    form = dict(pairs)
    operation = form.get("Action", "")
    if operation not in load_model().operation_names:
        return operation, {}
    shape = load_model().operation_model(operation).input_shape
    return operation, _read(shape, form, "") or {} if shape else {}


def _read(shape: Any, form: dict[str, str], prefix: str) -> Any:
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            value = _read(member, form, f"{prefix}.{name}" if prefix else name)
            if value is not None:
                members[name] = value
        if members or not prefix:
            _check_required(shape, members, prefix)
        return members or None
    if shape.type_name == "list":
        return _read_list(shape, form, prefix)
    if shape.type_name == "map":
        return _read_map(shape, form, prefix)
    text = form.get(prefix)
    if text is None:
        return None
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if shape.type_name not in {"integer", "long"}:
        return text
    if not re.fullmatch("-?[0-9]{1,18}", text):
        raise _make_refusal(prefix, f"Value '{text[:50]}'", "Member must be a number")
    return int(text)


def _check_required(shape: Any, members: dict[str, Any], prefix: str) -> None:
    for name in shape.required_members:
        if name not in members and shape.members[name].type_name not in {"list", "map"}:
            raise _make_refusal(f"{prefix}.{name}" if prefix else name, "Value null", "Member must not be null")


def _make_refusal(path: str, value: str, constraint: str) -> Refused:
    place = f"{path[:1].lower()}{path[1:]}"
    return Refused(f"1 validation error detected: {value} at '{place}' failed to satisfy constraint: {constraint}")


def _read_map(shape: Any, form: dict[str, str], prefix: str) -> dict[str, Any] | None:
    entries: dict[str, Any] = {}
    while (key := form.get(f"{prefix}.entry.{len(entries) + 1}.key")) is not None:
        entries[key] = _read(shape.value, form, f"{prefix}.entry.{len(entries) + 1}.value")
    return entries or None


def _read_list(shape: Any, form: dict[str, str], prefix: str) -> list[Any] | None:
    if prefix in form and not form[prefix]:
        return []
    items: list[Any] = []
    while (value := _read(shape.member, form, f"{prefix}.member.{len(items) + 1}")) is not None:
        items.append(value)
    return items or None


def render(operation: str, result: dict[str, Any], request_id: str) -> bytes:
    """Return the answer of an operation as XML."""
    shape = load_model().operation_model(operation).output_shape
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
        inner = f"<{wrapper}>{_write_members(shape, result)}</{wrapper}>"
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f'<{operation}Response xmlns="{NAMESPACE}">{inner}{metadata}</{operation}Response>'.encode()


def _write_members(shape: Any, value: dict[str, Any]) -> str:
    unknown = set(value) - set(shape.members)
    assert not unknown, f"{shape.name} has no member {unknown}"
    return "".join(
        f"<{name}>{_write(member, value[name])}</{name}>"
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _write(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        return _write_members(shape, value)
    if shape.type_name == "list":
        return "".join(f"<member>{_write(shape.member, item)}</member>" for item in value)
    if shape.type_name == "map":
        pairs = ((escape(str(key)), _write(shape.value, item)) for key, item in value.items())
        return "".join(f"<entry><key>{key}</key><value>{item}</value></entry>" for key, item in pairs)
    if shape.type_name == "timestamp":
        moment = datetime.datetime.fromtimestamp(float(value), datetime.UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if shape.type_name == "boolean":
        return str(bool(value)).lower()
    return escape(str(value))
