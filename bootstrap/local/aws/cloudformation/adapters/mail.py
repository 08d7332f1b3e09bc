"""SES: email identities and configuration sets."""

from __future__ import annotations

import hashlib
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter


class _TaggedAtCreation(TableAdapter):
    """A type whose tags are set by the call that creates it."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Add the tags to the call that creates the resource."""
        parameters = super().make_parameters(to, names)
        return parameters if to.physical_id or not to.tags else {**parameters, "Tags": to.list_tags()}


class Identity(_TaggedAtCreation):
    """AWS::SES::EmailIdentity; Ref is the identity. The DNS records of a domain's DKIM are attributes."""

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return names and values of a domain's three DKIM records; an address has none.

        moto has no tokens: they are invented.
        """
        self.read_item(to)
        records = {}
        for number in () if "@" in to.physical_id else (1, 2, 3):
            token = hashlib.sha256(f"{to.physical_id}/{number}".encode()).hexdigest()[:32]
            records[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{to.physical_id}"
            records[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
        return records


ADAPTERS = (
    Identity(
        Entry(
            "AWS::SES::EmailIdentity",
            "sesv2",
            "create_email_identity",
            "delete_email_identity",
            "EmailIdentity",
            name="EmailIdentity",
            renamed={"ConfigurationSetAttributes": "ConfigurationSetName"},
            shaped={"ConfigurationSetAttributes": lambda value: value.get("ConfigurationSetName")},
            ignored=frozenset({"DkimAttributes", "FeedbackAttributes", "MailFromAttributes"}),
            read="get_email_identity",
        )
    ),
    _TaggedAtCreation(
        Entry(
            "AWS::SES::ConfigurationSet",
            "sesv2",
            "create_configuration_set",
            "delete_configuration_set",
            "ConfigurationSetName",
            name="Name",
            name_as="ConfigurationSetName",
            read="get_configuration_set",
        )
    ),
)
