"""Checks and completes the desired state of a stack, from a request or from its parent, and looks up SSM parameters."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.store import Stack, Wanted
from bootstrap.local.aws.cloudformation.template import (
    absent_resources,
    exports,
    parameters,
    rules,
    schemas,
    scope,
    sources,
    static_checks,
)
from bootstrap.local.aws.cloudformation.template.intrinsics import format_text
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.structure import CUSTOM
from bootstrap.local.aws.cloudformation.template.template import Template


def settle(services: Services, stack: Stack | None, wanted: Wanted, region: str, reuse: set[str]) -> Wanted:
    """Check the parameters, rules and types of `wanted`, and complete its values; raises Refused.

    The parameters in `reuse` keep the value that they have in the stack.
    """
    current_values = stack.wanted.parameters if stack else {}
    reused = {name: value for name, value in current_values.items() if name in reuse}
    template = read(wanted.template, wanted.parameters | reused, region)
    wanted.parameters = parameters.settle(template, wanted.parameters, current_values, reuse)
    _, wanted.looked_up = parameters.resolve(template, wanted.parameters, services.scopes.make_ssm_lookup(region))
    names = services.scopes.make_scope(stack, wanted, region)
    rules.check(names, lambda: services.client("ec2", region))
    _check_types(template, names.find_present(), region)
    absent_resources.check(names)
    exports.check(names)
    return wanted


def settle_nested(
    services: Services,
    parent: Stack,
    granted: list[str],
    properties: dict[str, Any],
    tags: dict[str, str],
    *,
    child: Stack | None = None,
    text: str = "",
) -> Wanted:
    """The desired state of a nested stack by the parent's resource, checked; raises Refused.

    `granted` are the parent's capabilities. `text` is the template when a change set has read it before.
    """
    original = text or sources.fetch_from_s3(services.client("s3", parent.region), str(properties.get("TemplateURL")))
    values = {name: format_text(value) for name, value in (properties.get("Parameters") or {}).items()}
    text = sources.include(original, values, parent.region, lambda: services.client("s3", parent.region))
    template = read(text, values, parent.region)
    static_checks.check(template, parent.region)
    scope.check_capabilities(template, granted, is_reviewed=False, has_snippets=text != original)
    own_tags = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    wanted = Wanted(text, values, {}, own_tags, granted, parent.wanted.role_arn)
    wanted.original = original if text != original else ""
    wanted.notification_arns = [str(arn) for arn in properties.get("NotificationARNs") or []]
    return settle(services, child, wanted, parent.region, set())


def _check_types(template: Template, present: frozenset[str], region: str) -> None:
    """Raise Refused for types that CloudFormation does not know, or that have no adapter in the local cloud."""
    kinds = {str(template.resources[name]["Type"]) for name in present}
    custom = sorted(name for name in present if str(template.resources[name]["Type"]).startswith(CUSTOM))
    if custom:
        names = ", ".join(f"{name} ({template.resources[name]['Type']})" for name in custom)
        raise Refused(f"The local cloud has no custom resources: {names}")
    unknown = sorted(kind for kind in kinds if schemas.load(kind, region) is None)
    if unknown:
        raise Refused(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    without_adapter = sorted(kind for kind in kinds if adapters.find(kind) is None)
    if without_adapter:
        raise Refused(
            f"Template format error: Unrecognized resource types: [{', '.join(without_adapter)}] "
            "(AWS knows them, the local cloud has no adapter for them)"
        )
