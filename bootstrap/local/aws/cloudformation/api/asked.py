"""Reads what requests have in common: the stack they name, the template, parameters and tags they bring."""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.comparison import stack_policy
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import settling, triggers
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import Stack, Wanted
from bootstrap.local.aws.cloudformation.template import existing, limits, sources, static_checks
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import check_capabilities

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
    """The stack that a request names."""
    stack = engine.store.find(name, region)
    if stack is None:
        raise Refused(f"Stack with id {name} does not exist")
    return stack


def check_name(name: str) -> None:
    """Refuse a name that no stack can have."""
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def ready(stack: Stack, verb: str) -> None:
    """Refuse an operation on a stack that is busy or in a state that allows none."""
    if stack.status not in UPDATABLE:
        raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be {verb}.")


def wanted_from(engine: Engine, asked: dict[str, Any], stack: Stack | None, region: str) -> Wanted:
    """What the stack shall be, checked; what the request leaves out stays as it is."""
    text = fetch_template(engine, asked, stack, region)
    given, reuse = _parameters(asked)
    before = stack.wanted if stack else Wanted("")
    kept = {name: value for name, value in before.parameters.items() if name in reuse}
    template = read(text, given | kept)
    static_checks.check(template, region)
    limits.check_values(given)
    limits.check_asked(asked, template)
    given_capabilities = asked.get("Capabilities", [])
    check_capabilities(template, given_capabilities, is_reviewed="ChangeSetName" in asked)
    wanted = Wanted(
        text,
        given,
        {},
        tags_in(asked) if "Tags" in asked else dict(before.tags),
        given_capabilities,
        asked.get("RoleARN", before.role_arn),
        asked.get("NotificationARNs", before.notification_arns),
        triggers.of(asked, before.rollback),
    )
    settled = settling.settle(engine.services, stack, wanted, region, reuse)
    existing.check(template, settled.parameters, lambda service: engine.client(service, region))
    return settled


def tags_in(asked: dict[str, Any]) -> dict[str, str]:
    """The tags of a request; those of the system are nobody else's to give."""
    if any(str(tag["Key"]).startswith("aws:") for tag in asked.get("Tags", [])):
        raise Refused("aws: prefixed tag key names are not allowed for external use.")
    return {tag["Key"]: tag.get("Value", "") for tag in asked.get("Tags", [])}


def fetch_template(engine: Engine, asked: dict[str, Any], stack: Stack | None, region: str) -> str:
    """The template of a request: its text, an object in S3, or the stack's own."""
    if "TemplateBody" in asked:
        return limits.check_body(asked["TemplateBody"])
    if "TemplateURL" in asked:
        return sources.from_s3(engine.client("s3", region), asked["TemplateURL"])
    if asked.get("UsePreviousTemplate") and stack:
        return stack.wanted.template
    raise Refused("Either Template URL or Template Body must be specified.")


def policy_in(engine: Engine, asked: dict[str, Any], name: str, region: str) -> str:
    """The stack policy of a request under `name` (body or address), checked; '' when there is none."""
    if f"{name}URL" in asked:
        return stack_policy.check(sources.from_s3(engine.client("s3", region), asked[f"{name}URL"]))
    return stack_policy.check(asked[f"{name}Body"]) if asked.get(f"{name}Body") else ""


def _parameters(asked: dict[str, Any]) -> tuple[dict[str, str], set[str]]:
    given, reuse = {}, set()
    for parameter in asked.get("Parameters", []):
        name = parameter["ParameterKey"]
        if parameter.get("UsePreviousValue"):
            reuse.add(name)
        else:
            given[name] = parameter.get("ParameterValue", "")
    return given, reuse
