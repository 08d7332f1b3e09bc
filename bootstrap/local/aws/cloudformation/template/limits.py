"""CloudFormation's quotas on templates and requests (cloudformation-limits; Service Quotas), and limits in a request."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.template import Template

MOST = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}
DESCRIPTION_BYTES = 1024
BODY_BYTES = 51_200
OBJECT_BYTES = 1_048_576
VALUE_BYTES = 4096
NAME_LENGTH = 255


def check(template: Template) -> None:
    """Raise Refused for a template that is larger than CloudFormation accepts."""
    for section, most in MOST.items():
        count = len(template.read_section(section))
        if count > most:
            raise Refused(
                f"Template format error: Number of {section.lower()}, {count}, is greater than maximum allowed, {most}"
            )
        for name in template.read_section(section):
            if len(str(name)) > NAME_LENGTH:
                raise Refused(f"Template format error: {section} name {name} is longer than {NAME_LENGTH} characters")
    if len(str(template.document.get("Description", "")).encode()) > DESCRIPTION_BYTES:
        raise Refused(f"Template format error: 'Description' length is greater than {DESCRIPTION_BYTES}.")


def check_body(text: str) -> str:
    """Return a template from a request; raises Refused if it is longer than BODY_BYTES."""
    if len(text.encode()) > BODY_BYTES:
        raise Refused(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {BODY_BYTES}"
        )
    return text


def check_object(body: bytes) -> bytes:
    """Return a template from S3; raises Refused if it is longer than OBJECT_BYTES."""
    if len(body) > OBJECT_BYTES:
        raise Refused(f"Template may not exceed {OBJECT_BYTES} bytes in size.")
    return body


def check_values(parameters: dict[str, str]) -> None:
    """Raise Refused for values of parameters that are longer than VALUE_BYTES."""
    for name, value in parameters.items():
        if len(value.encode()) > VALUE_BYTES:
            raise Refused(f"Parameter '{name}' must contain at most {VALUE_BYTES} bytes")


def check_asked(request: dict[str, Any], template: Template) -> None:
    """Raise Refused for types that ResourceTypes of the request does not allow.

    ImportExistingResources, which the CDK always sends, has no effect: the creation of an existing resource fails in any case.
    """
    kinds = sorted({str(resource["Type"]) for resource in template.resources.values()})
    allowed = request.get("ResourceTypes")
    if allowed is not None:
        not_allowed = [kind for kind in kinds if not any(_allows(pattern, kind) for pattern in allowed)]
        if not_allowed:
            raise Refused(f"Resource type {not_allowed[0]} is not allowed by parameter ResourceTypes {allowed}")


def _allows(pattern: str, kind: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern
