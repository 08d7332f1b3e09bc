"""Decides whether a caller may do what a request asks: the caller's policies must allow each action on each resource.

The operator may do everything. Calls that CloudFormation makes in the name of a caller are checked as on AWS
(aws:CalledVia). Its reads (Describe, List) are not checked, because the handlers of the local cloud read other things than
those of AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bootstrap.local.aws.access.identities import Principal
from bootstrap.local.aws.access.policies import (
    actions,
    attached,
    created_resources,
    evaluation,
    key_use,
    parameters,
    pass_role,
    request_context,
    resources,
    resources_autoscaling,
)
from bootstrap.local.aws.access.policies.evaluation import Policies, Question
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.policies.request_context import CLOUDFORMATION
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.call_identity import Actor
from bootstrap.local.aws.server.requests import Environ

# The only reads of CloudFormation's handlers that are checked: of secrets, and of things that the caller names.
_CHECKED_READS = frozenset({"ssm:GetParameter", "ssm:GetParameters", "secretsmanager:GetSecretValue", "s3:GetObject"})
# Operations of the local cloud's handlers, and the operation that AWS' handlers call in their place.
_HANDLER_OPERATIONS = {
    "ssm:GetParameter": "GetParameters",
    "logs:TagLogGroup": "TagResource",
    "logs:UntagLogGroup": "UntagResource",
}
Context = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Stacks:
    """Functions that read CloudFormation's stacks: the id of a stack by its name or change set, and its tags."""

    find: Callable[[str, str], str | None]  # (name or id, region)
    tags: Callable[[str], Mapping[str, str]]


@dataclass(frozen=True)
class _Need:
    """One action on one resource, with condition keys of this action alone."""

    action: str
    resource: str
    context: Context


class Authorizer:
    """Checks every request by the policies of its caller; requests of the operator are not checked."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks

    def check(self, principal: Principal, environ: Environ, body: bytes) -> None:
        """Raise Refused if a policy denies the request, or if no policy allows it."""
        if principal.is_operator:
            return
        self._check(principal, environ, parameters.read_call(environ, body, principal.account), {}, {})

    def check_through_cloudformation(self, principal: Principal, environ: Environ, body: bytes, actor: Actor) -> None:
        """Check a call that CloudFormation makes in the name of the caller; raise Refused as `check` does."""
        call = parameters.read_call(environ, body, principal.account)
        action = f"{call.service}:{call.operation}"
        if not requests.is_mutating(environ, body) and action not in _CHECKED_READS:
            return
        service_context = request_context.describe_calling_services(CLOUDFORMATION)
        is_new = set(call.list_texts("ResourceId")) <= actor.created if action == "ec2:CreateTags" else False
        if is_new:
            service_context["ec2:createaction"] = tuple(
                {
                    created_resources.find_create_operation(created_resources.find_kind(identifier))
                    for identifier in call.list_texts("ResourceId")
                }
            )
        if action in _HANDLER_OPERATIONS:
            call = replace(call, operation=_HANDLER_OPERATIONS[action])
        new_tags = {} if is_new else dict.fromkeys(actor.created, actor.tags)
        self._check(principal, environ, call, service_context, new_tags)

    def _check(
        self,
        principal: Principal,
        environ: Environ,
        call: Call,
        service_context: Context,
        new_tags: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`new_tags` has, by id, the tags of resources that were just created and have no tags yet."""
        needs = list(self._list_needs(call, environ))
        if not needs:
            raise Refused(
                Kind.DENIED, write_denial(principal, f"{call.service}:{call.operation or 'Unknown'}", "*", call)
            )
        if needs[0].action in actions.WITHOUT_PERMISSION:
            return
        policies = attached.find_policies(principal)
        caller_context = request_context.describe_caller(
            principal, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", "")
        )
        for need in needs:
            tags = request_context.find_resource_tags(call, need.resource, self._stacks.tags)
            tags = {**new_tags.get(need.resource.rpartition("/")[2], {}), **tags}
            context = {
                **caller_context,
                **request_context.describe_call(call, need.resource, tags),
                **service_context,
                **need.context,
            }
            decision = judge(principal, policies, need.action, need.resource, context)
            if not decision.is_allowed:
                text = write_denial(principal, need.action, need.resource, call, decision)
                raise Refused(Kind.DENIED, text)

    def _list_needs(self, call: Call, environ: Environ) -> Iterator[_Need]:
        names = actions.find_actions(call, environ.get("REQUEST_METHOD", "POST"))
        if call.service == "cloudformation":
            arns = resources.find_stack_resources(call, lambda name: self._stacks.find(name, call.region))
        else:
            arns = resources.find_resources(call)
        for action in names:
            yield from (_Need(action, arn, {}) for arn in arns)
        yield from _list_further_needs(call, environ, arns)


def _list_further_needs(call: Call, environ: Environ, arns: list[str]) -> Iterator[_Need]:
    """The actions that an operation needs in addition to its own."""
    if call.service == "autoscaling" and resources_autoscaling.does_name_template(call):
        # EC2 Auto Scaling asks EC2 whether the caller may launch from the template (a dry run of RunInstances).
        yield _Need("ec2:RunInstances", f"arn:aws:ec2:{call.region}:{call.account}:instance/*", {})
    for role, service in pass_role.list_passed_roles(call):
        yield _Need("iam:PassRole", role, {"iam:passedtoservice": (service,)})
    if call.service == "ec2" and call.list_texts("TagSpecification.Tag.Key"):
        kinds = set(call.list_texts("TagSpecification.ResourceType"))
        for kind in kinds:
            arn = f"arn:aws:ec2:{call.region}:{call.account}:{kind}/*"
            yield _Need("ec2:CreateTags", arn, {"ec2:createaction": (call.operation,)})
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE", "").lstrip("/").partition("?")[0]
    if call.service == "s3" and source:
        yield _Need("s3:GetObject", f"arn:aws:s3:::{source}", {})
    yield from (_Need(*it) for it in key_use.list_key_uses(call, arns))


def judge(
    principal: Principal, attached_policies: Policies, action: str, resource: str, context: Context
) -> evaluation.Decision:
    """Decide by the policies of the caller and of the resource; a policy that cannot be parsed allows nothing."""
    principals = frozenset({principal.arn, principal.source_arn})
    question = Question(action, resource, context, principals, principal.account)
    resource_policy = attached.find_resource_policy(resource)
    is_key = action.startswith("kms:") and resource_policy is not None
    policies = Policies(
        attached_policies.identity, attached_policies.boundary, attached_policies.sessions, resource_policy, is_key
    )
    try:
        return evaluation.decide(question, policies)
    except ValueError:
        return evaluation.Decision(False, False, evaluation.IDENTITY)


def write_denial(
    principal: Principal, action: str, resource: str, call: Call, decision: evaluation.Decision | None = None
) -> str:
    """The message of a refusal, as AWS writes it."""
    reason = (decision or evaluation.Decision(False, False, evaluation.IDENTITY)).reason.format(action)
    quoted = f'"{resource}"' if call.service == "s3" else resource
    text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {quoted} {reason}"
    return f"You are not authorized to perform this operation. {text}" if call.service == "ec2" else text
