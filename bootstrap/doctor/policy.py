"""The least that the identity which launches must be allowed, generated and never kept by hand.

Two sources: the resource types of the environment's templates, for which cfn-lint's schemas name the permissions of each
handler, and the calls of the toolkit itself, read from its source: every method of an AWS client that stands in it. What
CloudFormation does in its caller's name is allowed only when it comes through CloudFormation (aws:CalledVia).

Schemas name some permissions more than a template needs (a handler's optional features), and no condition of a template is
worked out here, so this is an upper bound that is small, not the smallest.
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

LARGEST = 6144  # characters of a managed policy, without white space
PACKAGE = Path(__file__).resolve().parents[1]
# What is not the toolkit that launches: the local cloud, and the program that runs on the machine.
_NOT_OURS = ("local", "remote")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}  # of regions that begin so
# Where IAM's prefix is not the name that boto3 gives the service.
_PREFIXES = {"resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}


def calls(services: Mapping[str, Any]) -> frozenset[str]:
    """The IAM actions of the calls in the toolkit's source, for the clients in `services` (name to boto3 client).

    A method of that name is taken for every service that has it: rather a permission too many than a launch that stops.
    """
    names = set(itertools.chain.from_iterable(map(_names, _sources())))
    return frozenset(
        f"{_PREFIXES.get(service, service)}:{operation}"
        for service, client in services.items()
        for method, operation in client.meta.method_to_api_mapping.items()
        if method in names
    )


def services() -> frozenset[str]:
    """The services that the toolkit's source asks for a client of: world.aws("ec2")."""
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
    """Names of attributes, and texts: paginators are asked for by text."""
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
    """The IAM actions with which CloudFormation makes, reads, changes and deletes these types."""
    return frozenset(
        action for kind in kinds for action in permissions(kind, region) if not action.startswith("iam:PassRole")
    )


def document(settings: Settings, ours: Collection[str], through: Collection[str]) -> dict[str, Any]:
    """The policy: our own calls, what CloudFormation does for us, and the one role that may be handed on.

    What reads knows no resources in most services; what writes beside CloudFormation is bound to the environment's tags.
    """
    region, prefix = settings.region, f"{settings.project}-{settings.name}-"
    partition = next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
    sessions = [it for it in ("ssm:StartSession", "ssm:TerminateSession") if it in ours]
    stacks, secrets, parameters, reads, writes = _sorted_out(set(ours) - {*sessions, "sts:AssumeRole"})
    approvals = ["sts:AssumeRole"] if len(settings.networks) > 1 else []
    tags = {"aws:ResourceTag/Project": settings.project, "aws:ResourceTag/Environment": settings.name}
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    own = f"arn:{partition}"
    statements = [
        # The tags of a change set are the stack's, which is tagged by its own two actions.
        _statement(
            "Stacks",
            [*stacks, "cloudformation:TagResource", "cloudformation:UntagResource"],
            f"{own}:cloudformation:{region}:*:stack/{prefix}*",
        ),
        # Asked by the detection's id, which is no resource.
        _statement("FollowDrift", ["cloudformation:DescribeStackDriftDetectionStatus"], "*"),
        _statement("Secrets", secrets, f"{own}:secretsmanager:{region}:*:secret:{prefix}*"),
        _statement("LoginKey", parameters, f"{own}:ssm:{region}:*:parameter/ec2/keypair/*"),
        *(_sessions(own, region, tags) if sessions and settings.ssh != "direct" else ()),
        # Whom the roles trust is another matter: of the environment's roles only the one that promotes trusts people.
        _statement("Approve", approvals, f"{own}:iam::*:role/{prefix}*"),
        _statement("Look", reads, "*"),
        _statement("ChangeOwn", writes, "*", {"StringEquals": tags}),
        # The image's parameter is looked up in the caller's name, too.
        _statement("ThroughCloudFormation", sorted({*through, "ssm:GetParameters"}), "*", via),
        _statement("HandOverTheRole", ["iam:PassRole"], f"{own}:iam::*:role/{prefix}*", to_ec2),
    ]
    return {"Version": "2012-10-17", "Statement": [it for it in statements if it["Action"]]}


def _sessions(own: str, region: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Sessions with the environment's machines, as SSH and as nothing else; each caller ends no more than its own.

    The document's name is part of the permission only where it is asked for (ssm:SessionDocumentAccessCheck).
    """
    asked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    tagged = {"StringEquals": {f"ssm:resourceTag/{key.rpartition('/')[2]}": value for key, value in tags.items()}}
    start = ["ssm:StartSession"]
    return [
        _statement("StartSession", start, f"{own}:ec2:{region}:*:instance/*", asked | tagged),
        _statement("StartAsSsh", start, f"{own}:ssm:{region}::document/AWS-StartSSHSession"),
        _statement("EndOwnSession", ["ssm:TerminateSession"], f"{own}:ssm:*:*:session/${{aws:userid}}-*"),
    ]


def _sorted_out(ours: Collection[str]) -> tuple[list[str], list[str], list[str], list[str], list[str]]:
    """The calls on stacks, secrets and parameters, and of the rest those that read and those that write."""
    kinds: dict[str, list[str]] = {"cloudformation": [], "secretsmanager": [], "ssm": [], "reads": [], "writes": []}
    for action in sorted(ours):
        service, _, operation = action.partition(":")
        kind = "reads" if operation.startswith(("Describe", "Get", "List", "Simulate")) else "writes"
        kinds[service if service in kinds else kind].append(action)
    return kinds["cloudformation"], kinds["secretsmanager"], kinds["ssm"], kinds["reads"], kinds["writes"]


def _statement(
    sid: str, actions: list[str], resource: str, condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
    return found | ({"Condition": condition} if condition else {})


def split(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The policy as one or more that IAM takes: none is longer than a managed policy may be."""
    made: list[list[dict[str, Any]]] = [[]]
    for statement in policy["Statement"]:
        for part in _parts(statement):
            if made[-1] and _size([*made[-1], part]) > LARGEST:
                made.append([])
            made[-1].append(part)
    return [{"Version": policy["Version"], "Statement": statements} for statements in made]


def _parts(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """A statement, cut into equal ones where it alone would be too long."""
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
