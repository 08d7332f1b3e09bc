"""Checks between the keys of `mail`: what a mail server needs for a login, and what its ports speak."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bootstrap.environment.models import Settings

_TLS_PORTS = frozenset({465, 2465})  # TLS from the first byte
_STARTTLS_PORTS = frozenset({587, 2587})
_SES = "email-smtp."  # how the names of Amazon SES' mail servers begin
_NOWHERE = "@localhost"
_HOST = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:]+:[0-9A-Fa-f.:]*"
)  # a name, or an address


def find_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """A fault for each key of `mail` that contradicts another one."""
    mail = settings.mail
    if mail.sandbox and not settings.is_mail_kept:
        yield (
            ("mail", "sandbox"),
            "only the local cloud's mail server has it; whether SES is in its sandbox, the account says",
        )
    if mail.smtp_host is not None and not _HOST.fullmatch(mail.smtp_host):
        yield ("mail", "smtp_host"), f"{mail.smtp_host!r} is neither the name nor the address of a host"
        return
    if mail.smtp_host is None:
        yield from _find_own_server_faults(settings)
        return
    if mail.user and mail.password is None:
        yield ("mail", "user"), "a login needs a password, too; name where it is in mail.password"
    if mail.password and mail.user is None:
        yield ("mail", "password"), "a login needs the name of the user, too; add mail.user"
    if (mail.user or mail.password) and settings.mail_security == "none":
        reason = "the password would go through the network in clear text"
        yield ("mail", "security"), f"{reason}; write 'starttls' or 'tls', or leave the key out"
    yield from _find_port_faults(settings)
    if mail.smtp_host.startswith(_SES):
        yield from _find_ses_faults(settings)


def _find_own_server_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Faults without `smtp_host`: the local cloud's server has its own login, and one on the machine itself needs none."""
    mail = settings.mail
    owner = "the local cloud's mail server has a login of its own"
    owner = owner if settings.is_mail_kept else "the mail server on the machine itself takes no login"
    for key in ("user", "password"):
        if getattr(mail, key) is not None:
            yield ("mail", key), f"{owner}; for another server, name it in mail.smtp_host"
    if settings.is_mail_kept and settings.mail_security != "starttls":
        yield ("mail", "security"), "the local cloud's mail server speaks STARTTLS; leave the key out"
    elif not settings.is_mail_kept and settings.mail_security != "none":
        reason = "Jenkins reaches the mail server on the machine itself without TLS"
        yield ("mail", "security"), f"{reason}; for another server, name it in mail.smtp_host"


def _find_port_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    port, security = settings.mail_port, settings.mail_security
    if port in _TLS_PORTS and security != "tls":
        yield ("mail", "smtp_port"), f"port {port} speaks TLS from the first byte: it needs 'security: tls'"
    elif port in _STARTTLS_PORTS and security == "tls":
        yield ("mail", "smtp_port"), f"port {port} begins without TLS: it needs 'security: starttls'"


def _find_ses_faults(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Amazon SES takes mail only from who logged in, and only from senders that were verified there."""
    if settings.mail.user is None and settings.mail.password is None:
        yield ("mail", "smtp_host"), "Amazon SES takes mail only with a login; add mail.user and mail.password"
    if settings.mail_sender.endswith(_NOWHERE):
        reason = (
            f"Amazon SES takes mail only from senders that were verified there, and not from {settings.mail_sender}"
        )
        yield ("mail", "sender" if settings.mail.sender else "smtp_host"), f"{reason}; correct mail.sender"
