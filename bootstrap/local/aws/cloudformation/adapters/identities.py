"""IAM users with their access keys, groups, and providers of identities."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.adapters.iam import documents
from bootstrap.local.aws.cloudformation.adapters.table import Entry, Setter, TableAdapter, setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


def _policies(kind: str) -> Setter:
    def put(to: To, value: Any) -> None:
        whose = {f"{kind.title()}Name": to.physical_id}
        old, new = documents(to.old.get("Policies")), documents(value)
        for name in sorted(old.keys() - new.keys()):
            to.call("iam", f"delete_{kind}_policy", **whose, PolicyName=name)
        for name, document in new.items():
            if old.get(name) != document:
                text = policy_text(document)
                to.call("iam", f"put_{kind}_policy", **whose, PolicyName=name, PolicyDocument=text)

    return put


def _managed(kind: str) -> Setter:
    def put(to: To, value: Any) -> None:
        whose = {f"{kind.title()}Name": to.physical_id}
        old, new = set(to.old.get("ManagedPolicyArns") or []), set(value or [])
        for arn in sorted(old - new):
            to.call("iam", f"detach_{kind}_policy", **whose, PolicyArn=arn)
        for arn in sorted(new - old):
            to.call("iam", f"attach_{kind}_policy", **whose, PolicyArn=arn)

    return put


def _groups(to: To, value: Any) -> None:
    old, new = set(to.old.get("Groups") or []), set(value or [])
    for name in sorted(old - new):
        to.call("iam", "remove_user_from_group", UserName=to.physical_id, GroupName=name)
    for name in sorted(new - old):
        to.call("iam", "add_user_to_group", UserName=to.physical_id, GroupName=name)


def _login(to: To, value: Any) -> None:
    if value is None:
        to.call("iam", "delete_login_profile", UserName=to.physical_id)
    else:
        verb = "update" if to.old.get("LoginProfile") else "create"
        to.call("iam", f"{verb}_login_profile", UserName=to.physical_id, **value)


class Principal(TableAdapter):
    """A user or a group: what CloudFormation gave it is taken away before it is deleted."""

    def delete(self, to: To) -> None:
        """Settings first, in the reverse order."""
        kept, to.old = to.old, to.properties
        for name, put in reversed(self.entry.settings.items()):
            if name in to.properties:
                try:
                    put(to, None)
                except Gone:
                    continue
        to.old = kept
        super().delete(to)


class AccessKey(TableAdapter):
    """AWS::IAM::AccessKey; Ref is its id. The secret is shown once, by the creation, and kept as an attribute."""

    def create(self, to: To) -> str:
        """For a user."""
        made = to.call("iam", "create_access_key", **to.pick("UserName"))["AccessKey"]
        to.physical_id = str(made["AccessKeyId"])
        to.attributes = {"SecretAccessKey": made["SecretAccessKey"]}
        if "Status" in to.properties:
            self._switch(to)
        return to.physical_id

    def update(self, to: To) -> None:
        """Active or not."""
        self._switch(to)

    def attributes(self, to: To) -> dict[str, Any]:
        """What the creation said."""
        return {"Id": to.physical_id, "SecretAccessKey": to.attributes.get("SecretAccessKey")}

    def _switch(self, to: To) -> None:
        given = {"AccessKeyId": to.physical_id, "Status": to.get("Status", "Active"), **to.pick("UserName")}
        to.call("iam", "update_access_key", **given)


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
                "Groups": _groups,
                "ManagedPolicyArns": _managed("user"),
                "Policies": _policies("user"),
                "LoginProfile": _login,
            },
            read="get_user",
            item="User",
            attributes={"Arn": "Arn"},
            tags=Tagging("UserName", put="tag_user", take="untag_user"),
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
            limit=128,
            settings={"ManagedPolicyArns": _managed("group"), "Policies": _policies("group")},
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
            found="OpenIDConnectProviderArn",
            alters={
                "ThumbprintList": setter(
                    "iam", "update_open_id_connect_provider_thumbprint", "OpenIDConnectProviderArn", "ThumbprintList"
                )
            },
            read="get_open_id_connect_provider",
            attributes={"Arn": "@id"},
            tags=Tagging(
                "OpenIDConnectProviderArn", put="tag_open_id_connect_provider", take="untag_open_id_connect_provider"
            ),
        )
    ),
)
