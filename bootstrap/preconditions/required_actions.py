"""The IAM actions that a launch needs, by their two sources: the source of the toolkit, and the templates of the environment.

For the toolkit's own calls, every method of an AWS client is read from its source, also from the acceptance suite, which the
launcher's credentials run. For the resource types of templates, the schemas of cfn-lint name the permissions of each handler.
Schemas also have names that are no IAM actions; they are left out, because IAM refuses to simulate them.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.stacks import template

PACKAGE = Path(__file__).resolve().parents[1]
SUITE = PACKAGE.parent / "tests" / "acceptance"
# These packages are not run with the launcher's credentials: the local cloud, and the program on the machine.
_NOT_OURS = ("local", "remote")
# IAM prefixes that differ from boto3's name of the service.
_PREFIXES = {"resourcegroupstaggingapi": "tag", "s3control": "s3", "service-quotas": "servicequotas"}
# Operations of S3 whose action has another name ("Actions, resources, and condition keys for Amazon S3").
_OF_S3 = {
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
}


# Operations of S3 Control on the account's public access block, likewise.
_OF_S3_CONTROL = {
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}
_NAMES = {"s3": _OF_S3, "s3control": _OF_S3_CONTROL}
# Modules whose calls only who changes the account makes; their names begin so.
_OF_ACCOUNT = "account_"
_ACCOUNT_MODULES = ("acts/account.py", "views/account.py")
# What these modules use of the rest: the stack act.
_OF_STACKS = ("acts/stack.py", "stacks/changes.py", "stacks/client.py", "stacks/events.py", "stacks/steps.py")


@dataclass(frozen=True)
class Needs:
    """What a launch needs: its own calls, what CloudFormation calls for it, and the services that get a role of a template.

    `peer_network` is the stack of the network that the environment peers with, whose outputs the launch reads.
    """

    own: frozenset[str]
    through_cloudformation: frozenset[str]
    role_services: frozenset[str]
    peer_network: str | None = None


def list_calls(services: Mapping[str, Any], sources: Iterable[Path] | None = None) -> frozenset[str]:
    """The IAM actions of the calls in the toolkit's source, for the clients in `list_services` (name to boto3 client).

    If several services have a method of that name, the action of each is included, so that no permission is missing. `sources`
    are the launcher's by default.
    """
    names = set(itertools.chain.from_iterable(map(_list_names, _list_sources() if sources is None else sources)))
    return frozenset(
        f"{_PREFIXES.get(service, service)}:{_NAMES.get(service, {}).get(operation, operation)}"
        for service, client in services.items()
        for method, operation in client.meta.method_to_api_mapping.items()
        if method in names
    )


def list_services(sources: Iterable[Path] | None = None) -> frozenset[str]:
    """The services for which the source of the toolkit makes a client: world.aws("ec2"); `sources` as in `list_calls`."""
    return frozenset(
        str(node.args[0].value)
        for path in (_list_sources() if sources is None else sources)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) == "aws" or getattr(node.func, "id", None) == "aws")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    )


def _list_sources() -> list[Path]:
    ours = (path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in _NOT_OURS)
    return [*(path for path in ours if not _is_of_account(path)), *sorted(SUITE.rglob("*.py"))]


def list_account_sources() -> list[Path]:
    """The source of the commands that change an account, which the launcher does not run."""
    own = (path for path in sorted(PACKAGE.rglob("*.py")) if _is_of_account(path))
    return [*own, *(PACKAGE / name for name in _OF_STACKS)]


def _is_of_account(path: Path) -> bool:
    parts = path.relative_to(PACKAGE).parts
    is_named_so = path.name.startswith(_OF_ACCOUNT) and parts[0] in {"acts", "cloud", "views"}
    return is_named_so or str(Path(*parts)) in _ACCOUNT_MODULES


def _list_names(path: Path) -> Iterator[str]:
    """The names of attributes, and all string constants, because paginators are chosen by a string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def list_types(paths: Iterable[Path]) -> frozenset[str]:
    """The resource types of some templates."""
    return frozenset(str(it["Type"]) for body in _list_bodies(paths) for it in body["Resources"].values())


def list_role_services(paths: Iterable[Path]) -> frozenset[str]:
    """The services that the roles in some templates trust: whoever makes such a role hands it to one of them."""
    return frozenset(
        service
        for body in _list_bodies(paths)
        for resource in body["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
        for statement in _list_statements(resource["Properties"]["AssumeRolePolicyDocument"]["Statement"])
        for service in _make_list(statement.get("Principal", {}).get("Service", []))
    )


def _list_statements(value: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a list, those in the branches of an !If included, which the parser makes a list, too."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _list_statements(each)


def _list_bodies(paths: Iterable[Path]) -> Iterator[Any]:
    return (template.parse(path.read_text(encoding="utf-8")) for path in paths)


def _make_list(value: Any) -> list[str]:
    return [str(it) for it in value] if isinstance(value, list) else [str(value)]


def list_handler_actions(
    kinds: Collection[str], region: str, permissions: Callable[[str, str], Iterable[str]]
) -> frozenset[str]:
    """The IAM actions with which CloudFormation creates, reads, updates and deletes these types.

    iam:PassRole is left out: the policy has a statement of its own for it.
    """
    named = {action for kind in kinds for action in permissions(kind, region)}
    return template.list_known_actions(named - {"iam:PassRole"})
