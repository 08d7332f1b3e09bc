"""SES: identities that may send, and configuration sets."""

from __future__ import annotations

import hashlib
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter


class _Tagged(TableAdapter):
    """Tags go with the creation."""

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """With tags when it is made."""
        made = super().given(to, names)
        return made if to.physical_id or not to.tags else {**made, "Tags": to.tag_list()}


class Identity(_Tagged):
    """AWS::SES::EmailIdentity; Ref is the identity. The DNS records of a domain's DKIM are attributes."""

    def attributes(self, to: To) -> dict[str, Any]:
        """Three tokens, as names and values of DNS records; an address has none. moto has no tokens: they are made up."""
        self.item(to)
        made = {}
        for number in () if "@" in to.physical_id else (1, 2, 3):
            token = hashlib.sha256(f"{to.physical_id}/{number}".encode()).hexdigest()[:32]
            made[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{to.physical_id}"
            made[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
        return made


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
    _Tagged(
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
