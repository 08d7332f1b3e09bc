"""SES: the identities that may send are those from which the local cloud's mail server takes mail, and they are verified.

The sender of the environment is one of them from the beginning, as its user has verified it before a launch on AWS. Nothing
here can send the mails or ask the names by which SES verifies, so an identity is verified when it is made.
Changes moto.ses. Imported by: patches.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parseaddr
from typing import Any

MAIL_NAMES = {
    "moto.ses.models": (
        "EmailIdentity.__init__",
        "SESBackend.__init__",
        "SESBackend._is_verified_address",
        "SESBackend.delete_identity",
    )
}


def is_covered(address: str, identities: Iterable[str]) -> bool:
    """Whether mail from an address may be sent: it is an identity, or its domain is one, or a domain above that.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    known = {identity.lower() for identity in identities}
    labels = address.lower().rpartition("@")[2].split(".")
    domains = (".".join(labels[number:]) for number in range(len(labels)))
    return address.lower() in known or any(domain in known for domain in domains)


class MailIdentityPatches:
    """Part of `Patches`: the module of moto that has SES' identities."""

    verified: tuple[str, str, str] | None  # account, region and address of the environment's sender

    def _ses_models(self, module: Any) -> None:
        make_identity, make_backend, verified = (
            module.EmailIdentity.__init__,
            module.SESBackend.__init__,
            self.verified,
        )

        def init_identity(identity: Any, *args: Any, **named: Any) -> None:
            make_identity(identity, *args, **named)
            identity.verified_for_sending_status = True

        def init_backend(backend: Any, region_name: str, account_id: str) -> None:
            make_backend(backend, region_name, account_id)
            if verified and (account_id, region_name) == verified[:2]:
                backend.create_email_identity_v2(verified[2], None, None, None)

        def is_verified_address(backend: Any, source: str) -> bool:
            return is_covered(parseaddr(source)[1], list(backend.email_identities))

        def delete_identity(backend: Any, identity: str) -> None:
            backend.email_identities.pop(identity, None)

        module.EmailIdentity.__init__ = init_identity
        module.SESBackend.__init__ = init_backend
        module.SESBackend._is_verified_address = is_verified_address
        module.SESBackend.delete_identity = delete_identity
