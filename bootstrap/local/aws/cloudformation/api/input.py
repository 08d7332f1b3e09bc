"""Reads what several requests contain: the name of a stack, a template, parameters, tags and stack policies."""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.comparison import stack_policy
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import desired_state, triggers
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.operations.tags import check_tags
from bootstrap.local.aws.cloudformation.store import Stack, Wanted
from bootstrap.local.aws.cloudformation.template import aws_parameter_types, limits, sources, static_checks
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import check_capabilities
from bootstrap.local.aws.cloudformation.template.template import Template

FORCED = "FORCE_DELETE_STACK"
DELETION_MODES = (FORCED, "STANDARD")
UPDATABLE = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "CREATE_FAILED",
        "UPDATE_FAILED",
    ]
)


def find(engine: Engine, name: str, region: str) -> Stack:
    """The stack with a name or id; raises Refused if there is none."""
    stack = engine.store.find(name, region)
    if stack is None:
        raise Refused(f"Stack with id {name} does not exist")
    return stack


def check_name(name: str) -> None:
    """Raise Refused for a name that is not valid for a stack."""
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def require_ready(stack: Stack, verb: str) -> None:
    """Raise Refused if the status of a stack does not allow the operation `verb` ('updated')."""
    if stack.status not in UPDATABLE:
        raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be {verb}.")


def check_deletion_mode(request: dict[str, Any], stack: Stack) -> bool:
    """Return whether a deletion is forced, which CloudFormation allows after a failed one only; raises Refused."""
    mode = request.get("DeletionMode", "STANDARD")
    if mode not in DELETION_MODES:
        raise Refused(
            f"1 validation error detected: Value '{mode}' at 'deletionMode' failed to satisfy constraint: Member must satisfy "
            f"enum value set: [{', '.join(DELETION_MODES)}]"
        )
    if mode == FORCED and stack.status != "DELETE_FAILED":
        raise Refused(
            f"Invalid operation on stack [{stack.id}]. You can activate DeletionMode {FORCED} in a delete stack operation "
            "only when the stack is in the DELETE_FAILED state."
        )
    return bool(mode == FORCED)


def read_given(engine: Engine, request: dict[str, Any], stack: Stack | None, region: str) -> Wanted:
    """The desired state of a request whose template has a transform that failed: as it was given, unchecked."""
    current = stack.wanted if stack else Wanted("")
    return Wanted(
        "",
        _read_parameters(request)[0],
        {},
        read_tags(request) if "Tags" in request else dict(current.tags),
        request.get("Capabilities", []),
        request.get("RoleARN", current.role_arn),
        request.get("NotificationARNs", current.notification_arns),
        triggers.read(request, current.rollback),
        fetch_template(engine, request, stack, region),
    )


def read_wanted(engine: Engine, request: dict[str, Any], stack: Stack | None, region: str) -> Wanted:
    """The desired state of a stack by a request, checked; what the request leaves out does not change. Raises Refused."""
    original = fetch_template(engine, request, stack, region)
    values, reuse = _read_parameters(request)
    current = stack.wanted if stack else Wanted("")
    reused = {name: value for name, value in current.parameters.items() if name in reuse}
    text = sources.include(original, values | reused, region, lambda: engine.client("s3", region))
    template = read(text, values | reused, region)
    static_checks.check(template, region)
    limits.check_values(values)
    limits.check_asked(request, template)
    given_capabilities = request.get("Capabilities", [])
    check_capabilities(
        template, given_capabilities, is_reviewed="ChangeSetName" in request, has_snippets=text != original
    )
    desired = Wanted(
        text,
        values,
        {},
        read_tags(request) if "Tags" in request else dict(current.tags),
        given_capabilities,
        request.get("RoleARN", current.role_arn),
        request.get("NotificationARNs", current.notification_arns),
        triggers.read(request, current.rollback),
        original if text != original else "",
    )
    settled = desired_state.settle(engine.services, stack, desired, region, reuse)
    aws_parameter_types.check(template, settled.parameters, lambda service: engine.client(service, region))
    return settled


def read_tags(request: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a request; raises Refused for tags that CloudFormation does not accept."""
    return check_tags([(tag["Key"], tag["Value"]) for tag in request.get("Tags", [])])


def fetch_template(engine: Engine, request: dict[str, Any], stack: Stack | None, region: str) -> str:
    """The text of a request's template as it was given: in the request, in S3, or to the stack. Raises Refused."""
    if "TemplateBody" in request:
        return limits.check_body(request["TemplateBody"])
    if "TemplateURL" in request:
        return sources.fetch_from_s3(engine.client("s3", region), request["TemplateURL"])
    if request.get("UsePreviousTemplate") and stack:
        return stack.wanted.original or stack.wanted.template
    raise Refused("Either Template URL or Template Body must be specified.")


def read_alone(engine: Engine, request: dict[str, Any], region: str) -> Template:
    """The template of a request that only asks about it, with its snippets; raises Refused."""
    text = fetch_template(engine, request, None, region)
    return read(sources.include(text, {}, region, lambda: engine.client("s3", region)), region=region)


def read_page_start(request: dict[str, Any]) -> int:
    """Return the place of the first entry on the page that a request asks for; raises Refused for a wrong NextToken."""
    token = str(request.get("NextToken", "0"))
    if not re.fullmatch("[0-9]{1,9}", token):
        raise Refused("The NextToken is not one that this operation has returned")
    return int(token)


def read_policy(engine: Engine, request: dict[str, Any], name: str, region: str) -> str:
    """The stack policy of a request in `name`Body or `name`URL, checked; '' if there is none. Raises Refused."""
    if f"{name}URL" in request:
        return stack_policy.check(sources.fetch_from_s3(engine.client("s3", region), request[f"{name}URL"]))
    return stack_policy.check(request[f"{name}Body"]) if request.get(f"{name}Body") else ""


def _read_parameters(request: dict[str, Any]) -> tuple[dict[str, str], set[str]]:
    values, reuse = {}, set()
    for parameter in request.get("Parameters", []):
        name = parameter.get("ParameterKey", "")
        if parameter.get("UsePreviousValue"):
            reuse.add(name)
        else:
            values[name] = parameter.get("ParameterValue", "")
        if UNKNOWN in values.get(name, ""):
            raise Refused(f"Parameter '{name}' must not contain {UNKNOWN}: in change sets it stands for unknown values")
    return values, reuse
