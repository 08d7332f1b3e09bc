"""Generates the policy of the launcher: what the identity that launches must be allowed.

It has two sources. For the resource types of the environment's templates, the schemas of cfn-lint name the permissions of each
handler. For the toolkit's own calls, every method of an AWS client is read from its source. What CloudFormation does for its
caller is allowed only through CloudFormation (aws:CalledVia).

The policy is small, but not the smallest possible one: schemas have permissions for optional features of a handler, and
conditions of templates are not evaluated here.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.stacks import template

LARGEST = 6144  # the longest managed policy, in characters without white space
PACKAGE = Path(__file__).resolve().parents[1]
# These packages are not run with the launcher's credentials: the local cloud, and the program on the machine.
_NOT_OURS = ("local", "remote")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}  # by the begin of the region's name
# IAM prefixes that differ from boto3's name of the service.
_PREFIXES = {"resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}


def calls(services: Mapping[str, Any]) -> frozenset[str]:
    """The IAM actions of the calls in the toolkit's source, for the clients in `services` (name to boto3 client).

    If several services have a method of that name, the action of each is included, so that no permission is missing.
    """
    names = set(itertools.chain.from_iterable(map(_names, _sources())))
    return frozenset(
        f"{_PREFIXES.get(service, service)}:{operation}"
        for service, client in services.items()
        for method, operation in client.meta.method_to_api_mapping.items()
        if method in names
    )


def services() -> frozenset[str]:
    """The services for which the source of the toolkit makes a client: world.aws("ec2")."""
    return frozenset(
        str(node.args[0].value)
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) == "aws" or getattr(node.func, "id", None) == "aws")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    )


def _sources() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in _NOT_OURS]


def _names(path: Path) -> Iterator[str]:
    """The names of attributes, and all string constants, because paginators are chosen by a string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def types(paths: Iterable[Path]) -> frozenset[str]:
    """The resource types of some templates."""
    bodies = (template.parse(path.read_text(encoding="utf-8")) for path in paths)
    return frozenset(str(it["Type"]) for body in bodies for it in body["Resources"].values())


def handled(kinds: Collection[str], region: str, permissions: Callable[[str, str], Iterable[str]]) -> frozenset[str]:
    """The IAM actions with which CloudFormation creates, reads, updates and deletes these types."""
    return frozenset(
        action for kind in kinds for action in permissions(kind, region) if not action.startswith("iam:PassRole")
    )


def document(
    settings: Settings, own_actions: Collection[str], cloudformation_actions: Collection[str]
) -> dict[str, Any]:
    """The policy: the toolkit's own calls, what CloudFormation does for it, and iam:PassRole for the environment's roles.

    Reading actions are allowed on all resources, because most services do not limit them. Writing actions of the toolkit itself
    are limited to resources with the environment's tags.
    """
    region, prefix = settings.region, f"{settings.project}-{settings.name}-"
    partition = next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
    sessions = [it for it in ("ssm:StartSession", "ssm:TerminateSession") if it in own_actions]
    stacks, secrets, parameters, reads, writes = _sort_actions(set(own_actions) - {*sessions, "sts:AssumeRole"})
    approvals = ["sts:AssumeRole"] if len(settings.networks) > 1 else []
    tags = {"aws:ResourceTag/Project": settings.project, "aws:ResourceTag/Environment": settings.name}
    only_through_cloudformation = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    own = f"arn:{partition}"
    statements = [
        # A change set sets the tags of the stack, which needs these two additional actions.
        _statement(
            "Stacks",
            [*stacks, "cloudformation:TagResource", "cloudformation:UntagResource"],
            f"{own}:cloudformation:{region}:*:stack/{prefix}*",
        ),
        # This action takes the id of a detection, which is no resource for IAM.
        _statement("FollowDrift", ["cloudformation:DescribeStackDriftDetectionStatus"], "*"),
        _statement("Secrets", secrets, f"{own}:secretsmanager:{region}:*:secret:{prefix}*"),
        _statement("LoginKey", parameters, f"{own}:ssm:{region}:*:parameter/ec2/keypair/*"),
        *(_sessions(own, region, tags) if sessions and settings.ssh != "direct" else ()),
        # Whom the roles trust is another matter: of the environment's roles only the one that promotes trusts people.
        _statement("Approve", approvals, f"{own}:iam::*:role/{prefix}*"),
        _statement("Look", reads, "*"),
        _statement("ChangeOwn", writes, "*", {"StringEquals": tags}),
        # CloudFormation reads the parameter of the image with the caller's permissions.
        _statement(
            "ThroughCloudFormation",
            sorted({*cloudformation_actions, "ssm:GetParameters"}),
            "*",
            only_through_cloudformation,
        ),
        _statement("HandOverTheRole", ["iam:PassRole"], f"{own}:iam::*:role/{prefix}*", to_ec2),
    ]
    return {"Version": "2012-10-17", "Statement": [it for it in statements if it["Action"]]}


def _sessions(own: str, region: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Statements for SSH sessions with the environment's machines; a caller can end only its own sessions.

    IAM checks the name of the document only with the condition ssm:SessionDocumentAccessCheck.
    """
    document_is_checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    tagged = {"StringEquals": {f"ssm:resourceTag/{key.rpartition('/')[2]}": value for key, value in tags.items()}}
    start = ["ssm:StartSession"]
    return [
        _statement("StartSession", start, f"{own}:ec2:{region}:*:instance/*", document_is_checked | tagged),
        _statement("StartAsSsh", start, f"{own}:ssm:{region}::document/AWS-StartSSHSession"),
        _statement("EndOwnSession", ["ssm:TerminateSession"], f"{own}:ssm:*:*:session/${{aws:userid}}-*"),
    ]


def _sort_actions(own_actions: Collection[str]) -> tuple[list[str], list[str], list[str], list[str], list[str]]:
    """The actions on stacks, on secrets and on parameters; then all other reading and all other writing actions."""
    kinds: dict[str, list[str]] = {"cloudformation": [], "secretsmanager": [], "ssm": [], "reads": [], "writes": []}
    for action in sorted(own_actions):
        service, _, operation = action.partition(":")
        kind = "reads" if operation.startswith(("Describe", "Get", "List", "Simulate")) else "writes"
        kinds[service if service in kinds else kind].append(action)
    return kinds["cloudformation"], kinds["secretsmanager"], kinds["ssm"], kinds["reads"], kinds["writes"]


def _statement(
    sid: str, actions: list[str], resource: str, condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def split(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Split the policy into policies that are not longer than LARGEST."""
    documents: list[list[dict[str, Any]]] = [[]]
    for statement in policy["Statement"]:
        for part in _parts(statement):
            if documents[-1] and _size([*documents[-1], part]) > LARGEST:
                documents.append([])
            documents[-1].append(part)
    return [{"Version": policy["Version"], "Statement": statements} for statements in documents]


def _parts(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """A statement, divided into several if it is longer than LARGEST."""
    if _size([statement]) <= LARGEST:
        return [statement]
    actions = statement["Action"]
    middle = len(actions) // 2
    halves = (("A", actions[:middle]), ("B", actions[middle:]))
    return [
        part for mark, half in halves for part in _parts({**statement, "Sid": statement["Sid"] + mark, "Action": half})
    ]


def _size(statements: list[dict[str, Any]]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))
