"""IAM: roles, instance profiles, managed and inline policies. Most of the calls take names, not ARNs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


def list_documents(policies: Any) -> dict[str, Any]:
    """Return the inline policies of a template by name."""
    return {one["PolicyName"]: one["PolicyDocument"] for one in policies or []}


class Role(Tagged):
    """AWS::IAM::Role; Ref is its name."""

    type = "AWS::IAM::Role"
    service = "iam"
    tagging = Tagging("RoleName", add="tag_role", remove="untag_role")

    def create(self, to: To) -> str:
        """Create the role, then attach its managed policies and add its inline policies; return its name."""
        name = to.get("RoleName") or to.generate_name()
        parameters = to.pick("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        trust = format_policy(to.get("AssumeRolePolicyDocument"))
        to.call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust, **parameters)
        to.initiated(name)
        for arn in to.get("ManagedPolicyArns") or []:
            to.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
        for policy, document in list_documents(to.get("Policies")).items():
            to.call("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=format_policy(document))
        return str(name)

    def update(self, to: To) -> None:
        """Change everything except the name and the path."""
        role = {"RoleName": to.physical_id}
        if "AssumeRolePolicyDocument" in to.changed:
            text = format_policy(to.get("AssumeRolePolicyDocument"))
            to.call("iam", "update_assume_role_policy", **role, PolicyDocument=text)
        if to.changed & {"Description", "MaxSessionDuration"}:
            to.call("iam", "update_role", **role, **to.pick("Description", "MaxSessionDuration"))
        if "PermissionsBoundary" in to.changed:
            self._set_boundary(to)
        before, after = set(to.old.get("ManagedPolicyArns") or []), set(to.get("ManagedPolicyArns") or [])
        for arn in sorted(before - after):
            to.call("iam", "detach_role_policy", **role, PolicyArn=arn)
        for arn in sorted(after - before):
            to.call("iam", "attach_role_policy", **role, PolicyArn=arn)
        old, new = list_documents(to.old.get("Policies")), list_documents(to.get("Policies"))
        for policy in sorted(old.keys() - new.keys()):
            to.call("iam", "delete_role_policy", **role, PolicyName=policy)
        for policy, document in new.items():
            if old.get(policy) != document:
                to.call("iam", "put_role_policy", **role, PolicyName=policy, PolicyDocument=format_policy(document))

    def delete(self, to: To) -> None:
        """Remove the role's own policies, then delete the role.

        IAM refuses that while it has policies of other resources.
        """
        role = {"RoleName": to.physical_id}
        for arn in to.get("ManagedPolicyArns") or []:
            _call_unless_gone(to, "detach_role_policy", **role, PolicyArn=arn)
        for policy in list_documents(to.get("Policies")):
            _call_unless_gone(to, "delete_role_policy", **role, PolicyName=policy)
        to.call("iam", "delete_role", **role)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and id."""
        role = to.call("iam", "get_role", RoleName=to.physical_id)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def _set_boundary(self, to: To) -> None:
        role = {"RoleName": to.physical_id}
        if "PermissionsBoundary" in to.properties:
            to.call("iam", "put_role_permissions_boundary", **role, PermissionsBoundary=to.get("PermissionsBoundary"))
        else:
            to.call("iam", "delete_role_permissions_boundary", **role)


class InstanceProfile(Adapter):
    """AWS::IAM::InstanceProfile; Ref is its name."""

    type = "AWS::IAM::InstanceProfile"

    def create(self, to: To) -> str:
        """Create the profile, add its role, and return its name."""
        name = str(to.get("InstanceProfileName") or to.generate_name())
        to.call("iam", "create_instance_profile", InstanceProfileName=name, **to.pick("Path"))
        to.initiated(name)
        for role in to.get("Roles") or []:
            to.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=role)
        return name

    def update(self, to: To) -> None:
        """Replace the role."""
        profile = {"InstanceProfileName": to.physical_id}
        for role in to.old.get("Roles") or []:
            to.call("iam", "remove_role_from_instance_profile", **profile, RoleName=role)
        for role in to.get("Roles") or []:
            to.call("iam", "add_role_to_instance_profile", **profile, RoleName=role)

    def delete(self, to: To) -> None:
        """Remove the role from the profile, then delete the profile."""
        profile = {"InstanceProfileName": to.physical_id}
        for role in to.call("iam", "get_instance_profile", **profile)["InstanceProfile"]["Roles"]:
            to.call("iam", "remove_role_from_instance_profile", **profile, RoleName=role["RoleName"])
        to.call("iam", "delete_instance_profile", **profile)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN."""
        answer = to.call("iam", "get_instance_profile", InstanceProfileName=to.physical_id)
        return {"Arn": answer["InstanceProfile"]["Arn"]}


class ManagedPolicy(Adapter):
    """AWS::IAM::ManagedPolicy; Ref is its ARN."""

    type = "AWS::IAM::ManagedPolicy"

    def create(self, to: To) -> str:
        """Create the policy, attach it to its roles, users and groups, and return its ARN."""
        name = to.get("ManagedPolicyName") or to.generate_name()
        text = format_policy(to.get("PolicyDocument"))
        answer = to.call("iam", "create_policy", PolicyName=name, PolicyDocument=text, **to.pick("Path", "Description"))
        to.physical_id = str(answer["Policy"]["Arn"])
        self._apply(to, {})
        return to.physical_id

    def update(self, to: To) -> None:
        """Create a new default version, delete the old one, and attach and detach the policy as necessary."""
        if "PolicyDocument" in to.changed:
            versions = to.call("iam", "list_policy_versions", PolicyArn=to.physical_id)["Versions"]
            old = [one["VersionId"] for one in versions if one["IsDefaultVersion"]]
            text = format_policy(to.get("PolicyDocument"))
            to.call("iam", "create_policy_version", PolicyArn=to.physical_id, PolicyDocument=text, SetAsDefault=True)
            for version in old:
                to.call("iam", "delete_policy_version", PolicyArn=to.physical_id, VersionId=version)
        self._apply(to, to.old)

    def delete(self, to: To) -> None:
        """Detach the policy, then delete it."""
        properties, to.properties = to.properties, {}
        self._apply(to, properties)
        to.properties = properties
        to.call("iam", "delete_policy", PolicyArn=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and id."""
        policy = to.call("iam", "get_policy", PolicyArn=to.physical_id)["Policy"]
        return {"PolicyArn": to.physical_id, "PolicyId": policy["PolicyId"]}

    def _apply(self, to: To, before: dict[str, Any]) -> None:
        for names, kind, key in (
            ("Roles", "role", "RoleName"),
            ("Users", "user", "UserName"),
            ("Groups", "group", "GroupName"),
        ):
            old, new = set(before.get(names) or []), set(to.get(names) or [])
            for name in sorted(old - new):
                parameters = {key: name, "PolicyArn": to.physical_id}
                _call_unless_gone(to, f"detach_{kind}_policy", **parameters)
            for name in sorted(new - old):
                to.call("iam", f"attach_{kind}_policy", **{key: name, "PolicyArn": to.physical_id})


class InlinePolicy(Adapter):
    """AWS::IAM::Policy: one inline policy of several roles, users and groups; Ref is a generated name."""

    type = "AWS::IAM::Policy"
    TARGETS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))

    def create(self, to: To) -> str:
        """Set the policy on each role, user and group."""
        self._set_on_principals(to, to.properties)
        return to.generate_name()

    def update(self, to: To) -> None:
        """Set the policy again, and remove it from roles, users and groups that are no longer named."""
        self._set_on_principals(to, to.properties)
        for names, kind, key in self.TARGETS:
            remaining = set(to.get(names) or []) if to.get("PolicyName") == to.old.get("PolicyName") else set()
            self._remove_from(to, kind, key, sorted(set(to.old.get(names) or []) - remaining), to.old)

    def delete(self, to: To) -> None:
        """Remove the policy from each role, user and group that still exists."""
        for names, kind, key in self.TARGETS:
            self._remove_from(to, kind, key, to.get(names) or [], to.properties)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}

    def _set_on_principals(self, to: To, properties: dict[str, Any]) -> None:
        policy = {"PolicyName": properties["PolicyName"], "PolicyDocument": format_policy(properties["PolicyDocument"])}
        for names, kind, key in self.TARGETS:
            for name in properties.get(names) or []:
                to.call("iam", f"put_{kind}_policy", **{key: name}, **policy)

    def _remove_from(self, to: To, kind: str, key: str, names: list[str], properties: dict[str, Any]) -> None:
        for name in names:
            parameters = {key: name, "PolicyName": properties["PolicyName"]}
            _call_unless_gone(to, f"delete_{kind}_policy", **parameters)


class RolePolicy(Adapter):
    """AWS::IAM::RolePolicy; Ref is the policy's name and the role's."""

    type = "AWS::IAM::RolePolicy"

    def create(self, to: To) -> str:
        """Set the policy on the role."""
        self.update(to)
        return f"{to.get('PolicyName')}|{to.get('RoleName')}"

    def update(self, to: To) -> None:
        """Replace the policy."""
        text = format_policy(to.get("PolicyDocument"))
        to.call("iam", "put_role_policy", PolicyDocument=text, **to.pick("RoleName", "PolicyName"))

    def delete(self, to: To) -> None:
        """Remove the policy from the role."""
        to.call("iam", "delete_role_policy", **to.pick("RoleName", "PolicyName"))


def _call_unless_gone(to: To, method: str, **parameters: Any) -> None:
    """Call IAM; do nothing when the role, user, group or policy no longer exists."""
    try:
        to.call("iam", method, **parameters)
    except Gone:
        return


ADAPTERS = (Role(), InstanceProfile(), ManagedPolicy(), InlinePolicy(), RolePolicy())
