"""IAM users with their access keys, groups, and identity providers."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.iam import list_documents
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.adapters.table import Entry, Setter, TableAdapter, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


def _make_policy_setter(kind: str) -> Setter:
    def set_policies(to: To, value: Any) -> None:
        owner = {f"{kind.title()}Name": to.physical_id}
        old, new = list_documents(to.old.get("Policies")), list_documents(value)
        for name in sorted(old.keys() - new.keys()):
            to.call("iam", f"delete_{kind}_policy", **owner, PolicyName=name)
        for name, document in new.items():
            if old.get(name) != document:
                text = format_policy(document)
                to.call("iam", f"put_{kind}_policy", **owner, PolicyName=name, PolicyDocument=text)

    return set_policies


def _make_managed_policy_setter(kind: str) -> Setter:
    def set_policies(to: To, value: Any) -> None:
        owner = {f"{kind.title()}Name": to.physical_id}
        old, new = set(to.old.get("ManagedPolicyArns") or []), set(value or [])
        for arn in sorted(old - new):
            to.call("iam", f"detach_{kind}_policy", **owner, PolicyArn=arn)
        for arn in sorted(new - old):
            to.call("iam", f"attach_{kind}_policy", **owner, PolicyArn=arn)

    return set_policies


def _set_groups(to: To, value: Any) -> None:
    old, new = set(to.old.get("Groups") or []), set(value or [])
    for name in sorted(old - new):
        to.call("iam", "remove_user_from_group", UserName=to.physical_id, GroupName=name)
    for name in sorted(new - old):
        to.call("iam", "add_user_to_group", UserName=to.physical_id, GroupName=name)


def _set_login(to: To, value: Any) -> None:
    if value is None:
        to.call("iam", "delete_login_profile", UserName=to.physical_id)
    else:
        verb = "update" if to.old.get("LoginProfile") else "create"
        to.call("iam", f"{verb}_login_profile", UserName=to.physical_id, **value)


class Principal(TableAdapter):
    """A user or a group: IAM deletes it only without policies, groups and login, so its settings are removed first."""

    def delete(self, to: To) -> None:
        """Remove the settings in the reverse order of their creation, then delete the user or group."""
        old_properties, to.old = to.old, to.properties
        for name, set_value in reversed(self.entry.settings.items()):
            if name in to.properties:
                try:
                    set_value(to, None)
                except Gone:
                    continue
        to.old = old_properties
        super().delete(to)


class AccessKey(TableAdapter):
    """AWS::IAM::AccessKey; Ref is its id. Only the creation returns the secret, which is stored as an attribute."""

    def create(self, to: To) -> str:
        """Create a key for the user and return its id."""
        key = to.call("iam", "create_access_key", **to.pick("UserName"))["AccessKey"]
        to.physical_id = str(key["AccessKeyId"])
        to.attributes = {"SecretAccessKey": key["SecretAccessKey"]}
        if "Status" in to.properties:
            self._set_status(to)
        return to.physical_id

    def update(self, to: To) -> None:
        """Set whether the key is active."""
        self._set_status(to)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id and secret."""
        return {"Id": to.physical_id, "SecretAccessKey": to.attributes.get("SecretAccessKey")}

    def _set_status(self, to: To) -> None:
        parameters = {"AccessKeyId": to.physical_id, "Status": to.get("Status", "Active"), **to.pick("UserName")}
        to.call("iam", "update_access_key", **parameters)


ADAPTERS = (
    Principal(
        Entry(
            "AWS::IAM::User",
            "iam",
            "create_user",
            "delete_user",
            "UserName",
            name="UserName",
            settings={
                "Groups": _set_groups,
                "ManagedPolicyArns": _make_managed_policy_setter("user"),
                "Policies": _make_policy_setter("user"),
                "LoginProfile": _set_login,
            },
            read="get_user",
            item="User",
            attributes={"Arn": "Arn"},
            tags=Tagging("UserName", add="tag_user", remove="untag_user"),
        )
    ),
    Principal(
        Entry(
            "AWS::IAM::Group",
            "iam",
            "create_group",
            "delete_group",
            "GroupName",
            name="GroupName",
            settings={
                "ManagedPolicyArns": _make_managed_policy_setter("group"),
                "Policies": _make_policy_setter("group"),
            },
            read="get_group",
            item="Group",
            attributes={"Arn": "Arn"},
        )
    ),
    AccessKey(
        Entry(
            "AWS::IAM::AccessKey", "iam", "create_access_key", "delete_access_key", "AccessKeyId", along=("UserName",)
        )
    ),
    TableAdapter(
        Entry(
            "AWS::IAM::OIDCProvider",
            "iam",
            "create_open_id_connect_provider",
            "delete_open_id_connect_provider",
            "OpenIDConnectProviderArn",
            id_path="OpenIDConnectProviderArn",
            alters={
                "ThumbprintList": make_setter(
                    "iam", "update_open_id_connect_provider_thumbprint", "OpenIDConnectProviderArn", "ThumbprintList"
                )
            },
            read="get_open_id_connect_provider",
            attributes={"Arn": "@id"},
            tags=Tagging(
                "OpenIDConnectProviderArn", add="tag_open_id_connect_provider", remove="untag_open_id_connect_provider"
            ),
        )
    ),
)
