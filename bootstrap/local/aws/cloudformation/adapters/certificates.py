"""Certificates of ACM. The local cloud does not wait until one is validated."""

from __future__ import annotations

from typing import Any, ClassVar

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _validation(value: Any) -> list[dict[str, Any]] | None:
    """The hosted zone in which CloudFormation would put the record is none of ACM's business."""
    return [one for one in value if "ValidationDomain" in one] or None


class Certificate(TableAdapter):
    """AWS::CertificateManager::Certificate; Ref is its ARN. Two properties are options of the request."""

    OPTIONS: ClassVar[dict[str, str]] = {
        "CertificateTransparencyLoggingPreference": "CertificateTransparencyLoggingPreference",
        "CertificateExport": "Export",
    }

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """Options apart."""
        made = super().given(to, names)
        options = {key: made.pop(name) for name, key in self.OPTIONS.items() if name in made}
        return {**made, "Options": options} if options else made


ADAPTERS = (
    Certificate(
        Entry(
            "AWS::CertificateManager::Certificate",
            "acm",
            "request_certificate",
            "delete_certificate",
            "CertificateArn",
            found="CertificateArn",
            shaped={"DomainValidationOptions": _validation},
            read="describe_certificate",
            attributes={"CertificateArn": "@id"},
            tags=Tagging(
                "CertificateArn",
                put="add_tags_to_certificate",
                take="remove_tags_from_certificate",
                keys="Tags",
                keys_as_pairs=True,
                takes_system_tags=False,
            ),
        )
    ),
)
