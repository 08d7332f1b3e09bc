"""The mail server of the local cloud: what its machines send is kept to be read, and goes nowhere.

It answers (RFC 5321, by aiosmtpd) on the gateway address of each subnet that has machines, on the environment's SMTP port, and
takes mail from the environment's own machines and from this host alone. Each message becomes a file `<number>.eml` in one
folder that only its owner reads, as it came, after the header lines of its envelope; the newest `KEPT` are kept, and of those
no more than `KEPT_BYTES`.

As Amazon SES does, it takes mail only after STARTTLS and a login, and only from senders that are verified; what it refuses, it
refuses in the words of SES. Recipients need not be verified, as in an account of SES that is out of the sandbox, unless the
environment says that it is in there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from functools import partial
from pathlib import Path
from typing import Any

from bootstrap.local import listening
from bootstrap.local.mail_login import Login

log = logging.getLogger(__name__)

KEPT = 200
KEPT_BYTES = 64 * 2**20
_LARGEST = 16 * 2**20  # of one message, in bytes
_SECONDS = 30.0
_NAME = "mail.local-cloud"
_SIMULATOR = "@simulator.amazonses.com"


@dataclass(frozen=True)
class Mail:
    """One message that was kept: its number, when it came (UTC), and its file."""

    number: int
    when: datetime
    path: Path

    def read(self) -> EmailMessage:
        """The message itself."""
        return message_from_bytes(self.path.read_bytes(), policy=policy.default)


def summarize(mail: Mail) -> dict[str, str | int]:
    """A message in a line: its number, when it came, from whom to whom, its subject and its file."""
    message = mail.read()
    return {
        "number": mail.number,
        "when": f"{mail.when:%Y-%m-%d %H:%M:%S}",
        "from": str(message["Return-Path"]).strip("<>"),
        "to": ", ".join(str(it) for it in message.get_all("Delivered-To", [])),
        "subject": str(message["Subject"] or ""),
        "path": str(mail.path),
    }


def format_text(mail: Mail) -> str:
    """A message for reading: what people see of its head, then its text; attachments by name."""
    message = mail.read()
    head = [f"{name}: {message[name]}" for name in ("Date", "From", "To", "Cc", "Subject") if name in message]
    body = message.get_body(("plain", "html"))
    read = str(body.get_content()).replace("\r\n", "\n").rstrip() if body is not None else ""
    attached = [f"attached: {it.get_filename() or it.get_content_type()}" for it in message.iter_attachments()]
    return "\n".join([*head, "", read, *attached])


def list_kept(folder: Path) -> list[Mail]:
    """What the folder holds, oldest first."""
    return sorted(_read_kept(folder), key=lambda it: it.number)


def _read_kept(folder: Path) -> Iterator[Mail]:
    for path in folder.glob("*.eml"):
        if path.stem.isdigit():
            yield Mail(int(path.stem), datetime.fromtimestamp(path.stat().st_mtime, UTC), path)


@dataclass(frozen=True)
class Senders:
    """Who may send: whether a peer's address is a machine of this environment, and whether a sender is verified in `region`.

    `is_sandboxed` is whether recipients must be verified, too.
    """

    is_ours: Callable[[str], bool]
    is_verified: Callable[[str], bool]
    region: str
    is_sandboxed: bool = False


class Sink:
    """The server: a thread with an event loop, begun with its first address."""

    def __init__(self, folder: Path, port: int, senders: Senders, login: Login) -> None:
        self._folder = folder
        self._port = port
        self._senders = senders
        self._login = login
        self._loop: asyncio.AbstractEventLoop | None = None
        self._addresses: set[str] = set()
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()

    def listen(self, address: str) -> None:
        """Take mail on one more address; what fails, such as a port that is taken, is a problem that is tried again."""
        with self._lock:
            if address in self._addresses:
                return
            try:
                self._serve(address)
            except (OSError, ValueError, TypeError) as fault:
                reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
                self._problems[address] = f"mail cannot be received at {address}:{self._port}: {reason}"
                log.warning("%s", self._problems[address])
                return
            self._problems.pop(address, None)
            self._addresses.add(address)
        log.info("taking mail on %s:%d", address, self._port)

    def _serve(self, address: str) -> None:
        opened = listening.bind_socket(address, self._port)
        try:
            make_protocol = partial(self._make_protocol, self._login.make_context(address))
            loop = self._get_loop()
            asyncio.run_coroutine_threadsafe(loop.create_server(make_protocol, sock=opened), loop).result(_SECONDS)
        except BaseException:
            opened.close()
            raise

    def describe_state(self) -> dict[str, Any]:
        """For whoever asks: the folder, how much it holds, where mail is taken, and what is not as it should be."""
        with self._lock:
            places = [f"{address}:{self._port}" for address in sorted(self._addresses)]
            problems = sorted(self._problems.values())
        return {
            "folder": str(self._folder),
            "listens": places,
            "problems": problems,
            "kept": len(list_kept(self._folder)),
        }

    def _get_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="mail", daemon=True).start()
        return self._loop

    def _make_protocol(self, tls: ssl.SSLContext) -> Any:
        from aiosmtpd.smtp import SMTP

        return SMTP(
            self,
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            hostname=_NAME,
            ident="local cloud",
            loop=self._loop,
            tls_context=tls,
            require_starttls=True,
            authenticator=self._authenticate,
        )

    def _authenticate(self, _: Any, __: Any, ___: Any, ____: str, given: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        if self._login.accepts(given.login, given.password):
            return AuthResult(success=True, auth_data=given)
        return AuthResult(success=False, handled=False, message="535 Authentication Credentials Invalid")

    async def handle_MAIL(self, _: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        """Whether a sender may send: by where it connects from, and its login. The name and the shape are aiosmtpd's."""
        peer = session.peer[0]
        if peer not in self._addresses and not await asyncio.to_thread(self._senders.is_ours, peer):
            return "550 5.7.1 Mail is taken from this environment's machines alone"
        if not session.authenticated:
            return "530 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender ok"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one message of a verified sender, in the sandbox for verified recipients; a full disk is told."""
        unverified = await asyncio.to_thread(self._find_unverified, envelope)
        if unverified:
            failed = f"The following identities failed the check in region {self._senders.region.upper()}"
            return f"554 Message rejected: Email address is not verified. {failed}: {', '.join(unverified)}"
        try:
            number = await asyncio.to_thread(self._keep, session.peer[0], envelope)
        except OSError as fault:
            log.warning("a message from %s is not kept: %s", session.peer[0], fault)
            return f"452 4.3.1 It cannot be kept: {fault.strerror}"
        return f"250 2.0.0 Kept as {number}"

    def _find_unverified(self, envelope: Any) -> list[str]:
        """The senders of a message, on the envelope and in its head, that are not verified; in the sandbox the recipients, too.

        Also in the sandbox, everybody may write to the mailbox simulator of SES.
        """
        message = message_from_bytes(envelope.content, policy=policy.compat32)
        written = [str(it) for name in ("From", "Sender", "Return-Path") for it in message.get_all(name, [])]
        senders = dict.fromkeys((str(envelope.mail_from), *(address for _, address in getaddresses(written))))
        unverified = [it for it in senders if it and not self._senders.is_verified(it)]
        if self._senders.is_sandboxed:
            recipients = [it for it in map(str, envelope.rcpt_tos) if not it.lower().endswith(_SIMULATOR)]
            unverified += [it for it in recipients if not self._senders.is_verified(it)]
        return list(dict.fromkeys(unverified))

    def _keep(self, peer: str, envelope: Any) -> int:
        head = f"Return-Path: <{envelope.mail_from}>\r\n"
        head += "".join(f"Delivered-To: {it}\r\n" for it in envelope.rcpt_tos)
        head += f"Received: from [{peer}] by {_NAME} with ESMTP; {format_datetime(datetime.now(UTC))}\r\n"
        with self._lock:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = max((it.number for it in _read_kept(self._folder)), default=0) + 1
            part = self._folder / f"{number}.part"
            with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(head.encode(errors="surrogateescape") + envelope.content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._folder / f"{number}.eml")
            self._forget_old()
        return number

    def _forget_old(self) -> None:
        room = KEPT_BYTES
        for place, mail in enumerate(reversed(list_kept(self._folder))):
            room -= mail.path.stat().st_size
            if place >= KEPT or room < 0:
                mail.path.unlink()
