"""Sends mail as Jakarta Mail does it for Jenkins: TLS, login, and failures with its classes and messages.

A login is tried only if the server offers one. A message ends with a line break where it is the server's answer.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

MESSAGING = "jakarta.mail.MessagingException"
AUTHENTICATION = "jakarta.mail.AuthenticationFailedException"
SEND_FAILED = "jakarta.mail.SendFailedException"
NOT_SENT = "org.eclipse.angus.mail.smtp.SMTPSendFailedException"
NO_CONNECTION = "org.eclipse.angus.mail.util.MailConnectException"
_SECONDS = 60


@dataclass(frozen=True)
class Account:
    """A mail server, and the login there; `user` None is no login, `password` None a login without a known password."""

    host: str
    port: int
    is_ssl: bool = False
    is_tls: bool = False
    user: str | None = None
    password: str | None = None


class MailFailed(Exception):
    """A mail was not sent; `kind` is the Java class, `cause` the exception inside, as Java writes it."""

    def __init__(self, kind: str, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.cause = cause

    @property
    def is_refused_connection(self) -> bool:
        """Whether nothing answers at the server's port."""
        return self.kind == NO_CONNECTION

    @property
    def shown(self) -> str:
        """The message and the exception inside, as a stack trace begins."""
        return f"{self.message};\n  nested exception is:\n\t{self.cause}" if self.cause else self.message


def read_account(settings: dict[str, object], user: str | None, password: str | None) -> Account:
    """The account of the settings of either plugin, which name server, port and encryption alike."""
    is_ssl, is_tls = bool(settings.get("useSsl")), bool(settings.get("useTls"))
    default = 465 if is_ssl else 587 if is_tls else 25
    host, port = str(settings.get("smtpHost") or "localhost"), int(str(settings.get("smtpPort") or default))
    return Account(host, port, is_ssl, is_tls, user, password)


def deliver(account: Account, message: EmailMessage) -> None:
    """Send a message; MailFailed as Jakarta Mail says it."""
    if account.user is not None and account.password is None:
        raise MailFailed(AUTHENTICATION, "failed to connect, no password specified?")
    with _connect(account) as server:
        try:
            server.ehlo_or_helo_if_needed()
            if account.is_tls:
                _start_tls(server)
            _log_in(server, account)
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as fault:
            code, answer = next(iter(fault.recipients.values()))
            failure = "org.eclipse.angus.mail.smtp.SMTPAddressFailedException"
            raise MailFailed(SEND_FAILED, "Invalid Addresses", f"{failure}: {_answer(code, answer)}") from fault
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as fault:
            raise MailFailed(NOT_SENT, _answer(fault.smtp_code, fault.smtp_error)) from fault
        except smtplib.SMTPResponseException as fault:
            raise MailFailed(MESSAGING, _answer(fault.smtp_code, fault.smtp_error)) from fault
        except (OSError, smtplib.SMTPException) as fault:
            raise MailFailed(MESSAGING, "Exception reading response", f"java.io.IOException: {fault}") from fault


def _connect(account: Account) -> smtplib.SMTP:
    host, port = account.host, account.port
    try:
        if account.is_ssl:
            return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(host, port, timeout=_SECONDS)
    except socket.gaierror as fault:
        raise MailFailed(MESSAGING, f"Unknown SMTP host: {host}", f"java.net.UnknownHostException: {host}") from fault
    except ssl.SSLError as fault:
        reason = f"Could not connect to SMTP host: {host}, port: {port}"
        raise MailFailed(MESSAGING, reason, f"javax.net.ssl.SSLHandshakeException: {fault}") from fault
    except smtplib.SMTPConnectError as fault:
        reason = f"Could not connect to SMTP host: {host}, port: {port}, response: {fault.smtp_code}"
        raise MailFailed(MESSAGING, reason) from fault
    except (OSError, smtplib.SMTPException) as fault:
        reason = f"Couldn't connect to host, port: {host}, {port}; timeout {_SECONDS * 1000}"
        words = getattr(fault, "strerror", None) or str(fault)
        raise MailFailed(NO_CONNECTION, reason, f"java.net.ConnectException: {words}") from fault


def _start_tls(server: smtplib.SMTP) -> None:
    """Encrypt the connection, which Jenkins then demands; the certificate must be for the server's name or address."""
    if not server.has_extn("starttls"):
        raise MailFailed(MESSAGING, "STARTTLS is required but host does not support STARTTLS")
    try:
        server.starttls(context=ssl.create_default_context())
    except ssl.SSLError as fault:
        cause = f"javax.net.ssl.SSLHandshakeException: {fault}"
        raise MailFailed(MESSAGING, "Could not convert socket to TLS", cause) from fault
    server.ehlo_or_helo_if_needed()


def _log_in(server: smtplib.SMTP, account: Account) -> None:
    if account.user is None or not server.has_extn("auth"):
        return
    offered = server.esmtp_features["auth"].upper().split()
    server.user, server.password = account.user, account.password or ""
    try:
        if "LOGIN" in offered:
            server.auth("LOGIN", server.auth_login)
        elif "PLAIN" in offered:
            server.auth("PLAIN", server.auth_plain)
        else:
            raise MailFailed(AUTHENTICATION, "No authentication mechanisms supported by both server and client")
    except smtplib.SMTPAuthenticationError as fault:
        raise MailFailed(AUTHENTICATION, _answer(fault.smtp_code, fault.smtp_error)) from fault


def _answer(code: int, text: bytes | str) -> str:
    """What the server said, as Jakarta Mail tells it."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return "".join(f"{code} {line}\n" for line in words.splitlines())
