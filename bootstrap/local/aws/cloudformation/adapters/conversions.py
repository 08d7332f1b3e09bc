"""Convert values between templates and services: parameters of calls, members of answers, and refusals.

`fit` matches names without regard to case, and converts text to the number or flag that the API expects.
"""

from __future__ import annotations

import base64
import logging
import re
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed

log = logging.getLogger(__name__)

ABSENT_CODES = (
    "NotFound",
    "NoSuch",
    "NonExistent",
    "DoesNotExist",
    "ResourceNotFound",
    "NotFoundException",
    ".Unknown",
)


def fit(shape: Any, value: Any) -> Any:
    """Convert `value` to an API's shape: correct the case of names, convert text to numbers and flags, leave out None."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        fitted = {}
        for key, item in value.items():
            if item is not None:
                name = names.get(key.lower(), key)
                fitted[name] = fit(shape.members[name], item) if name in shape.members else item
        return fitted
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fit(shape.member, item) for item in items]
    if kind == "map" and isinstance(value, dict):
        return {key: fit(shape.value, item) for key, item in value.items()}
    return _fit_scalar(kind, value)


def _fit_scalar(kind: str, value: Any) -> Any:
    if kind in {"integer", "long"} and isinstance(value, str):
        return int(value) if re.fullmatch("-?[0-9]{1,30}", value) else value
    if kind in {"double", "float"} and isinstance(value, str | int):
        return float(value) if re.fullmatch(r"-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?", str(value)) else value
    if kind == "boolean" and isinstance(value, str):
        return is_true(value) if value.lower() in {"true", "false"} else value
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" and isinstance(value, int | float) else value


def find_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path, in which numbers index lists; None where the path does not exist."""
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def list_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def is_true(value: Any) -> bool:
    """Return a flag of a template, which may be text ("true")."""
    return str(value).lower() == "true"


def make_failure(refusal: Any, service: str) -> ResourceFailed:
    """Return a service's refusal as the reason of an event, worded like CloudFormation's; `Gone` if the resource is absent."""
    error = refusal.response.get("Error", {})
    code, message = error.get("Code", ""), error.get("Message", "")
    metadata = refusal.response.get("ResponseMetadata", {})
    status, request_id = metadata.get("HTTPStatusCode", 400), metadata.get("RequestId", "")
    if code == "InternalFailure" and status == 501:  # moto raised an exception, whose text is the message
        log.error("%s of %s: %s", refusal.operation_name, service, message)
        message = (
            f"the local cloud cannot carry out {refusal.operation_name} of {service} with these values; see its log"
        )
    kind = (
        "NotFound"
        if any(part in code for part in ABSENT_CODES)
        else "AlreadyExists"
        if _exists(code)
        else "InvalidRequest"
    )
    request = f"Service: {service}, Status Code: {status}, Request ID: {request_id}"
    text = f'Resource handler returned message: "{message} ({request})"'
    reason = f"{text} (Error code: {code}, HandlerErrorCode: {kind})"
    return Gone(reason) if kind == "NotFound" else ResourceFailed(reason)


def _exists(code: str) -> bool:
    return "AlreadyExists" in code or "Duplicate" in code or "AlreadyOwned" in code


def decode_user_data(value: Any) -> bytes:
    """Return the user data of machines, which is base64 in a template; botocore encodes it again."""
    return base64.b64decode(str(value or ""))
