"""IAM: roles, instance profiles, managed and inline policies. Names, not ARNs, are what most of them are known by."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


def documents(policies: Any) -> dict[str, Any]:
    """Inline policies of a template by name."""
    return {one["PolicyName"]: one["PolicyDocument"] for one in policies or []}


class Role(Tagged):
    """AWS::IAM::Role; Ref is its name."""

    type = "AWS::IAM::Role"
    service = "iam"
    tagging = Tagging("RoleName", put="tag_role", take="untag_role")

    def create(self, to: To) -> str:
        """The role, then what it may do."""
        name = to.get("RoleName") or to.name(64)
        given = to.pick("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        trust = policy_text(to.get("AssumeRolePolicyDocument"))
        to.call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust, **given)
        to.initiated(name)
        for arn in to.get("ManagedPolicyArns") or []:
            to.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)
        for policy, document in documents(to.get("Policies")).items():
            to.call("iam", "put_role_policy", RoleName=name, PolicyName=policy, PolicyDocument=policy_text(document))
        return str(name)

    def update(self, to: To) -> None:
        """Everything but name and path."""
        role = {"RoleName": to.physical_id}
        if "AssumeRolePolicyDocument" in to.changed:
            text = policy_text(to.get("AssumeRolePolicyDocument"))
            to.call("iam", "update_assume_role_policy", **role, PolicyDocument=text)
        if to.changed & {"Description", "MaxSessionDuration"}:
            to.call("iam", "update_role", **role, **to.pick("Description", "MaxSessionDuration"))
        if "PermissionsBoundary" in to.changed:
            self._bound(to)
        before, after = set(to.old.get("ManagedPolicyArns") or []), set(to.get("ManagedPolicyArns") or [])
        for arn in sorted(before - after):
            to.call("iam", "detach_role_policy", **role, PolicyArn=arn)
        for arn in sorted(after - before):
            to.call("iam", "attach_role_policy", **role, PolicyArn=arn)
        old, new = documents(to.old.get("Policies")), documents(to.get("Policies"))
        for policy in sorted(old.keys() - new.keys()):
            to.call("iam", "delete_role_policy", **role, PolicyName=policy)
        for policy, document in new.items():
            if old.get(policy) != document:
                to.call("iam", "put_role_policy", **role, PolicyName=policy, PolicyDocument=policy_text(document))

    def delete(self, to: To) -> None:
        """With its inline policies, as CloudFormation does; policies of other resources must be gone before."""
        role = {"RoleName": to.physical_id}
        for arn in to.get("ManagedPolicyArns") or []:
            _unless_gone(to, "detach_role_policy", **role, PolicyArn=arn)
        for policy in documents(to.get("Policies")):
            _unless_gone(to, "delete_role_policy", **role, PolicyName=policy)
        to.call("iam", "delete_role", **role)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN and id."""
        found = to.call("iam", "get_role", RoleName=to.physical_id)["Role"]
        return {"Arn": found["Arn"], "RoleId": found["RoleId"]}

    def _bound(self, to: To) -> None:
        role = {"RoleName": to.physical_id}
        if "PermissionsBoundary" in to.properties:
            to.call("iam", "put_role_permissions_boundary", **role, PermissionsBoundary=to.get("PermissionsBoundary"))
        else:
            to.call("iam", "delete_role_permissions_boundary", **role)


class InstanceProfile(Adapter):
    """AWS::IAM::InstanceProfile; Ref is its name."""

    type = "AWS::IAM::InstanceProfile"

    def create(self, to: To) -> str:
        """With its one role."""
        name = str(to.get("InstanceProfileName") or to.name(128))
        to.call("iam", "create_instance_profile", InstanceProfileName=name, **to.pick("Path"))
        to.initiated(name)
        for role in to.get("Roles") or []:
            to.call("iam", "add_role_to_instance_profile", InstanceProfileName=name, RoleName=role)
        return name

    def update(self, to: To) -> None:
        """Another role."""
        profile = {"InstanceProfileName": to.physical_id}
        for role in to.old.get("Roles") or []:
            to.call("iam", "remove_role_from_instance_profile", **profile, RoleName=role)
        for role in to.get("Roles") or []:
            to.call("iam", "add_role_to_instance_profile", **profile, RoleName=role)

    def delete(self, to: To) -> None:
        """Its role is let go first."""
        profile = {"InstanceProfileName": to.physical_id}
        for role in to.call("iam", "get_instance_profile", **profile)["InstanceProfile"]["Roles"]:
            to.call("iam", "remove_role_from_instance_profile", **profile, RoleName=role["RoleName"])
        to.call("iam", "delete_instance_profile", **profile)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN."""
        found = to.call("iam", "get_instance_profile", InstanceProfileName=to.physical_id)
        return {"Arn": found["InstanceProfile"]["Arn"]}


class ManagedPolicy(Adapter):
    """AWS::IAM::ManagedPolicy; Ref is its ARN."""

    type = "AWS::IAM::ManagedPolicy"

    def create(self, to: To) -> str:
        """The policy, then to whom it applies."""
        name = to.get("ManagedPolicyName") or to.name(128)
        text = policy_text(to.get("PolicyDocument"))
        made = to.call("iam", "create_policy", PolicyName=name, PolicyDocument=text, **to.pick("Path", "Description"))
        to.physical_id = str(made["Policy"]["Arn"])
        self._apply(to, {})
        return to.physical_id

    def update(self, to: To) -> None:
        """A new default version in place of the old one."""
        if "PolicyDocument" in to.changed:
            versions = to.call("iam", "list_policy_versions", PolicyArn=to.physical_id)["Versions"]
            old = [one["VersionId"] for one in versions if one["IsDefaultVersion"]]
            text = policy_text(to.get("PolicyDocument"))
            to.call("iam", "create_policy_version", PolicyArn=to.physical_id, PolicyDocument=text, SetAsDefault=True)
            for version in old:
                to.call("iam", "delete_policy_version", PolicyArn=to.physical_id, VersionId=version)
        self._apply(to, to.old)

    def delete(self, to: To) -> None:
        """Detached first."""
        kept, to.properties = to.properties, {}
        self._apply(to, kept)
        to.properties = kept
        to.call("iam", "delete_policy", PolicyArn=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN and id."""
        found = to.call("iam", "get_policy", PolicyArn=to.physical_id)["Policy"]
        return {"PolicyArn": to.physical_id, "PolicyId": found["PolicyId"]}

    def _apply(self, to: To, before: dict[str, Any]) -> None:
        for names, verb, key in (
            ("Roles", "role", "RoleName"),
            ("Users", "user", "UserName"),
            ("Groups", "group", "GroupName"),
        ):
            old, new = set(before.get(names) or []), set(to.get(names) or [])
            for name in sorted(old - new):
                given = {key: name, "PolicyArn": to.physical_id}
                _unless_gone(to, f"detach_{verb}_policy", **given)
            for name in sorted(new - old):
                to.call("iam", f"attach_{verb}_policy", **{key: name, "PolicyArn": to.physical_id})


class InlinePolicy(Adapter):
    """AWS::IAM::Policy: one inline policy put on roles, users and groups; Ref is a name of its own."""

    type = "AWS::IAM::Policy"
    TARGETS = (("Roles", "role", "RoleName"), ("Users", "user", "UserName"), ("Groups", "group", "GroupName"))

    def create(self, to: To) -> str:
        """Put on each."""
        self._put(to, to.properties)
        return to.name(64)

    def update(self, to: To) -> None:
        """Put anew, and taken from those that are not named any more."""
        self._put(to, to.properties)
        for names, verb, key in self.TARGETS:
            left = set(to.get(names) or []) if to.get("PolicyName") == to.old.get("PolicyName") else set()
            self._take(to, verb, key, sorted(set(to.old.get(names) or []) - left), to.old)

    def delete(self, to: To) -> None:
        """Taken from each; one that is gone took its policy along."""
        for names, verb, key in self.TARGETS:
            self._take(to, verb, key, to.get(names) or [], to.properties)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}

    def _put(self, to: To, wanted: dict[str, Any]) -> None:
        given = {"PolicyName": wanted["PolicyName"], "PolicyDocument": policy_text(wanted["PolicyDocument"])}
        for names, verb, key in self.TARGETS:
            for name in wanted.get(names) or []:
                to.call("iam", f"put_{verb}_policy", **{key: name}, **given)

    def _take(self, to: To, verb: str, key: str, names: list[str], of: dict[str, Any]) -> None:
        for name in names:
            given = {key: name, "PolicyName": of["PolicyName"]}
            _unless_gone(to, f"delete_{verb}_policy", **given)


class RolePolicy(Adapter):
    """AWS::IAM::RolePolicy"""

    type = "AWS::IAM::RolePolicy"

    def create(self, to: To) -> str:
        """Ref is policy and role."""
        self.update(to)
        return f"{to.get('PolicyName')}|{to.get('RoleName')}"

    def update(self, to: To) -> None:
        """Put again."""
        text = policy_text(to.get("PolicyDocument"))
        to.call("iam", "put_role_policy", PolicyDocument=text, **to.pick("RoleName", "PolicyName"))

    def delete(self, to: To) -> None:
        """By name."""
        to.call("iam", "delete_role_policy", **to.pick("RoleName", "PolicyName"))


def _unless_gone(to: To, method: str, **given: Any) -> None:
    try:
        to.call("iam", method, **given)
    except Gone:
        return


ADAPTERS = (Role(), InstanceProfile(), ManagedPolicy(), InlinePolicy(), RolePolicy())
