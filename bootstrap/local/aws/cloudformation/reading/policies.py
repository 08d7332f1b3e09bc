"""Policies of IAM: attached ones, inline ones, and those of several roles, users or groups."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.reading.rules import Reading

HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}


def read_attached(part: Any, to: Context) -> list[str]:
    """The ARNs of attached policies, without those that another resource of the same stack attaches."""
    arns = [item["PolicyArn"] for item in part["AttachedPolicies"]]
    stack = to.stacks.store.find(to.stack_id, to.region)
    attached_by_stack = {
        item.physical_id
        for item in (stack.resources.values() if stack else ())
        if item.type == "AWS::IAM::ManagedPolicy" and _does_name(item.properties, to.physical_id)
    }
    own = to.get("ManagedPolicyArns") or []
    return [arn for arn in arns if arn in own or arn not in attached_by_stack]


def read_inline(kind: str) -> Reading:
    """Reads the inline policies in the template of a role, user or group; others are resources of their own."""

    def read(part: Any, to: Context) -> list[dict[str, Any]]:
        own = {item["PolicyName"] for item in to.get("Policies") or []}
        policies = []
        for name in part["PolicyNames"]:
            if name in own:
                whose = {f"{kind.title()}Name": to.physical_id}
                answer = to.call("iam", f"get_{kind}_policy", **whose, PolicyName=name)
                policies.append({"PolicyName": name, "PolicyDocument": answer["PolicyDocument"]})
        return policies

    return read


def read_holders(property_name: str) -> Reading:
    """Reads which of the roles, users or groups in the template of an AWS::IAM::Policy have it."""
    kind, key = HOLDERS[property_name]

    def read(_: Any, to: Context) -> list[str]:
        return [name for name in to.get(property_name) or [] if _fetch_document(to, kind, key, name) is not None]

    return read


def read_document(_: Any, to: Context) -> Any:
    """The document of an AWS::IAM::Policy, from the first role, user or group that has it."""
    for property_name, (kind, key) in HOLDERS.items():
        for name in to.get(property_name) or []:
            policy = _fetch_document(to, kind, key, name)
            if policy is not None:
                return policy["PolicyDocument"]
    return None


def read_name(_: Any, to: Context) -> Any:
    """The name of an AWS::IAM::Policy, from the first role, user or group that has it."""
    for property_name, (kind, key) in HOLDERS.items():
        for name in to.get(property_name) or []:
            policy = _fetch_document(to, kind, key, name)
            if policy is not None:
                return policy["PolicyName"]
    return None


def _fetch_document(to: Context, kind: str, key: str, name: str) -> Any:
    try:
        return to.call("iam", f"get_{kind}_policy", **{key: name}, PolicyName=to.get("PolicyName"))
    except Gone:
        return None


def _does_name(properties: dict[str, Any], holder: str) -> bool:
    return any(holder in (properties.get(name) or []) for name in HOLDERS)
