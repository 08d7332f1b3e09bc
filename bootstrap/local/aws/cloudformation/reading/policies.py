"""Policies of IAM: attached, inline, and put on many."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.reading.rules import Reading

HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}


def attached(found: Any, to: Context) -> list[str]:
    """The ARNs of attached policies, less those that policies of the same stack attach themselves."""
    arns = [one["PolicyArn"] for one in found["AttachedPolicies"]]
    stack = to.stacks.store.find(to.stack_id, to.region)
    others = {
        one.physical_id
        for one in (stack.resources.values() if stack else ())
        if one.type == "AWS::IAM::ManagedPolicy" and _names(one.properties, to.physical_id)
    }
    own = to.get("ManagedPolicyArns") or []
    return [arn for arn in arns if arn in own or arn not in others]


def inline(kind: str) -> Reading:
    """The inline policies that a role, user or group itself names; others belong to resources of their own."""

    def read(found: Any, to: Context) -> list[dict[str, Any]]:
        own = {one["PolicyName"] for one in to.get("Policies") or []}
        policies = []
        for name in found["PolicyNames"]:
            if name in own:
                whose = {f"{kind.title()}Name": to.physical_id}
                answer = to.call("iam", f"get_{kind}_policy", **whose, PolicyName=name)
                policies.append({"PolicyName": name, "PolicyDocument": answer["PolicyDocument"]})
        return policies

    return read


def holders(property_name: str) -> Reading:
    """The roles, users or groups, of those that an AWS::IAM::Policy names, that hold it."""
    kind, key = HOLDERS[property_name]

    def read(_: Any, to: Context) -> list[str]:
        return [name for name in to.get(property_name) or [] if _document(to, kind, key, name) is not None]

    return read


def document(_: Any, to: Context) -> Any:
    """The document of an AWS::IAM::Policy, from whoever holds it first."""
    for property_name, (kind, key) in HOLDERS.items():
        for name in to.get(property_name) or []:
            found = _document(to, kind, key, name)
            if found is not None:
                return found["PolicyDocument"]
    return None


def its_name(_: Any, to: Context) -> Any:
    """The name under which an AWS::IAM::Policy is found with its holders."""
    for property_name, (kind, key) in HOLDERS.items():
        for name in to.get(property_name) or []:
            found = _document(to, kind, key, name)
            if found is not None:
                return found["PolicyName"]
    return None


def _document(to: Context, kind: str, key: str, name: str) -> Any:
    try:
        return to.call("iam", f"get_{kind}_policy", **{key: name}, PolicyName=to.get("PolicyName"))
    except Gone:
        return None


def _names(properties: dict[str, Any], holder: str) -> bool:
    return any(holder in (properties.get(name) or []) for name in HOLDERS)
