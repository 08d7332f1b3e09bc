"""Where the mail of the machines is taken, and from which senders: the identities of SES; the environment's own is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.environment.models import LOCAL_MAIL_USER
from bootstrap.local import mail_login
from bootstrap.local.aws.access.identities import ACCOUNT
from bootstrap.local.aws.patches.mail_identities import is_covered
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

    def identify_sender(self) -> tuple[str, str, str]:
        """Account, region and address of the sender, which SES has as an identity."""
        return ACCOUNT, self.region, self.sender


def open_sink(
    state: Path, place: MailPlace | None, is_ours: Callable[[str], bool], load: Callable[[str], None]
) -> Sink | None:
    """The mail server of the cloud in `state`; None without a place. `is_ours` says whether an address is a machine.

    `load` imports a module of moto with its changes: without them, SES would not have the sender.
    """
    if place is None:
        return None
    login = mail_login.ensure(state, LOCAL_MAIL_USER)
    return Sink(state / "mail", place.port, make_senders(place, is_ours, load), login)


def make_senders(place: MailPlace, is_ours: Callable[[str], bool], load: Callable[[str], None]) -> Senders:
    """Who may send: machines, from the identities that SES has at that moment."""

    def is_verified(address: str) -> bool:
        load("moto.ses.models")
        from moto.ses.models import ses_backends

        return is_covered(address, list(ses_backends[ACCOUNT][place.region].email_identities))

    return Senders(is_ours, is_verified, place.region, place.is_sandboxed)
