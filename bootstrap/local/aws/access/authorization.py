"""Whether a caller may do what a request asks: each action on each resource by the caller's policies, or a refusal.

Nothing is refused to the operator. What CloudFormation does in a caller's name is asked for as on AWS (aws:CalledVia); only
what its own handlers look at in passing (Describe, List) is not: they are this engine's, not AWS's.
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
)
from bootstrap.local.aws.access.policies.evaluation import Policies, Question
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.policies.request_context import CLOUDFORMATION
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.call_identity import Actor
from bootstrap.local.aws.server.requests import Environ

# What CloudFormation's own handlers read is not asked for, but for what is secret, or the caller's to name.
_READS_ASKED_FOR = frozenset({"ssm:GetParameter", "ssm:GetParameters", "secretsmanager:GetSecretValue", "s3:GetObject"})
# What CloudFormation's handlers call where this engine's call another operation of the same service.
_CALLED_OTHERWISE = {
    "ssm:GetParameter": "GetParameters",
    "logs:TagLogGroup": "TagResource",
    "logs:UntagLogGroup": "UntagResource",
}
Found = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Stacks:
    """What is to be known of CloudFormation's stacks: the id of one by its name or change set, and its tags."""

    find: Callable[[str, str], str | None]  # (name or id, region)
    tags: Callable[[str], Mapping[str, str]]


@dataclass(frozen=True)
class _Need:
    """One action on one resource, and what else is known of it."""

    action: str
    resource: str
    more: Found


class Authorizer:
    """Asks the evaluator about every request of everybody but the operator."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks

    def check(self, principal: Principal, environ: Environ, body: bytes) -> None:
        """Raises Refused where a policy forbids, or none allows."""
        if principal.is_operator:
            return
        self._check(principal, environ, parameters.read(environ, body, principal.account), {}, {})

    def check_through_cloudformation(self, principal: Principal, environ: Environ, body: bytes, actor: Actor) -> None:
        """The same for what CloudFormation calls in the caller's name."""
        call = parameters.read(environ, body, principal.account)
        named = f"{call.service}:{call.operation}"
        if not requests.is_mutating(environ, body) and named not in _READS_ASKED_FOR:
            return
        more = request_context.through(CLOUDFORMATION)
        born = set(call.texts("ResourceId")) <= actor.created if named == "ec2:CreateTags" else False
        if born:
            more["ec2:createaction"] = tuple(
                {created_resources.creation_of(created_resources.kind_of(one)) for one in call.texts("ResourceId")}
            )
        if named in _CALLED_OTHERWISE:
            call = replace(call, operation=_CALLED_OTHERWISE[named])
        new = {} if born else dict.fromkeys(actor.created, actor.tags)
        self._check(principal, environ, call, more, new)

    def _check(
        self,
        principal: Principal,
        environ: Environ,
        call: Call,
        more: Found,
        new: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`new` has the tags of things that have none yet, by their ids."""
        needs = list(self._needs(call, environ))
        if not needs:
            raise Refused(Kind.DENIED, denial(principal, f"{call.service}:{call.operation or 'Unknown'}", "*", call))
        if needs[0].action in actions.FREE:
            return
        held = attached.of(principal)
        about = request_context.of_caller(principal, environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", ""))
        for need in needs:
            tags = request_context.tags_of(call, need.resource, self._stacks.tags)
            tags = {**new.get(need.resource.rpartition("/")[2], {}), **tags}
            found = {**about, **request_context.of_call(call, need.resource, tags), **more, **need.more}
            decision = judge(principal, held, need.action, need.resource, found)
            if not decision.is_allowed:
                text = denial(principal, need.action, need.resource, call, decision)
                raise Refused(Kind.DENIED, text)

    def _needs(self, call: Call, environ: Environ) -> Iterator[_Need]:
        named = actions.of(call, environ.get("REQUEST_METHOD", "POST"))
        if call.service == "cloudformation":
            on = resources.of_stack(call, lambda name: self._stacks.find(name, call.region))
        else:
            on = resources.of(call)
        for action in named:
            yield from (_Need(action, one, {}) for one in on)
        yield from _beside(call, environ, on)


def _beside(call: Call, environ: Environ, on: list[str]) -> Iterator[_Need]:
    """What an operation asks for beside its own action."""
    for role, service in pass_role.roles(call):
        yield _Need("iam:PassRole", role, {"iam:passedtoservice": (service,)})
    if call.service == "ec2" and call.texts("TagSpecification.Tag.Key"):
        made = set(call.texts("TagSpecification.ResourceType"))
        for kind in made:
            arn = f"arn:aws:ec2:{call.region}:{call.account}:{kind}/*"
            yield _Need("ec2:CreateTags", arn, {"ec2:createaction": (call.operation,)})
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE", "").lstrip("/").partition("?")[0]
    if call.service == "s3" and source:
        yield _Need("s3:GetObject", f"arn:aws:s3:::{source}", {})
    yield from (_Need(*it) for it in key_use.needs(call, on))


def judge(principal: Principal, held: Policies, action: str, resource: str, found: Found) -> evaluation.Decision:
    """What the caller's policies and the resource's say; a policy that cannot be read allows nothing."""
    who = frozenset({principal.arn, principal.source_arn})
    question = Question(action, resource, found, who, principal.account)
    own = attached.of_resource(resource)
    is_key = action.startswith("kms:") and own is not None
    policies = Policies(held.identity, held.boundary, held.sessions, own, is_key)
    try:
        return evaluation.decide(question, policies)
    except ValueError:
        return evaluation.Decision(False, False, evaluation.IDENTITY)


def denial(
    principal: Principal, action: str, resource: str, call: Call, decision: evaluation.Decision | None = None
) -> str:
    """A refusal in AWS's words."""
    because = (decision or evaluation.Decision(False, False, evaluation.IDENTITY)).because.format(action)
    on = f'"{resource}"' if call.service == "s3" else resource
    text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {on} {because}"
    return f"You are not authorized to perform this operation. {text}" if call.service == "ec2" else text
