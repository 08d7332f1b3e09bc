"""Where the mail of the machines is taken, and from which senders: the environment's own, and those that SES has verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.environment.models import LOCAL_MAIL_USER
from bootstrap.local import mail_login
from bootstrap.local.mail import Senders, Sink


@dataclass(frozen=True)
class MailPlace:
    """The port at each gateway, the environment's sender, and the region whose identities of SES count.

    `is_sandboxed` is whether recipients must be among these identities, too.
    """

    port: int
    sender: str
    region: str
    is_sandboxed: bool = False


def open_sink(state: Path, place: MailPlace | None, is_ours: Callable[[str], bool]) -> Sink | None:
    """The mail server of the cloud in `state`; None without a place. `is_ours` says whether an address is a machine."""
    if place is None:
        return None

    def is_verified(address: str) -> bool:
        return address.lower() == place.sender.lower() or _is_verified_in_ses(address, place.region)

    login = mail_login.ensure(state, LOCAL_MAIL_USER)
    senders = Senders(is_ours, is_verified, place.region, place.is_sandboxed)
    return Sink(state / "mail", place.port, senders, login)


def _is_verified_in_ses(address: str, region: str) -> bool:
    """Whether SES has the address as an identity, or its domain, or a domain above that."""
    from moto.ses.models import ses_backends

    from bootstrap.local.aws.cloudformation.operations.engine import ACCOUNT

    identities = {it.lower() for it in list(ses_backends[ACCOUNT][region].email_identities)}
    labels = address.lower().rpartition("@")[2].split(".")
    domains = (".".join(labels[number:]) for number in range(len(labels)))
    return address.lower() in identities or any(domain in identities for domain in domains)
