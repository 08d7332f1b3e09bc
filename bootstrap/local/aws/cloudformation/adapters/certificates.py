"""Certificates of ACM. The local cloud does not wait for the validation of a certificate."""

from __future__ import annotations

from typing import Any, ClassVar

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _convert_validation(value: Any) -> list[dict[str, Any]] | None:
    """Return the options that name a validation domain: ACM has no parameter for the hosted zone of the DNS record."""
    return [one for one in value if "ValidationDomain" in one] or None


class Certificate(TableAdapter):
    """AWS::CertificateManager::Certificate; Ref is its ARN. Two of its properties are options of the request."""

    OPTIONS: ClassVar[dict[str, str]] = {
        "CertificateTransparencyLoggingPreference": "CertificateTransparencyLoggingPreference",
        "CertificateExport": "Export",
    }

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Move the properties that are options into Options."""
        parameters = super().make_parameters(to, names)
        options = {key: parameters.pop(name) for name, key in self.OPTIONS.items() if name in parameters}
        return {**parameters, "Options": options} if options else parameters


ADAPTERS = (
    Certificate(
        Entry(
            "AWS::CertificateManager::Certificate",
            "acm",
            "request_certificate",
            "delete_certificate",
            "CertificateArn",
            id_path="CertificateArn",
            shaped={"DomainValidationOptions": _convert_validation},
            read="describe_certificate",
            attributes={"CertificateArn": "@id"},
            tags=Tagging(
                "CertificateArn",
                add="add_tags_to_certificate",
                remove="remove_tags_from_certificate",
                keys="Tags",
                keys_as_pairs=True,
                takes_system_tags=False,
            ),
        )
    ),
)
