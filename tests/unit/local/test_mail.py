"""The local cloud's mail server, over real SMTP with TLS and a login, on the loopback's addresses."""

from __future__ import annotations

import smtplib
import socket
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest

from bootstrap.local import mail, mail_login
from bootstrap.local.mail import Senders, Sink, format_text, list_kept, summarize

AT, MACHINE, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
SENDER = "jenkins@localhost"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((AT, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


def make_sink(folder: Path, port: int, *, is_sandboxed: bool = False) -> Sink:
    senders = Senders(lambda peer: peer == MACHINE, lambda address: address == SENDER, "eu-central-1", is_sandboxed)
    return Sink(folder / "mail", port, senders, mail_login.ensure(folder, "jenkins"))


@pytest.fixture
def sink(tmp_path: Path, port: int) -> Sink:
    made = make_sink(tmp_path, port)
    made.listen(AT)
    return made


def message(subject: str, body: str = "the text\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, "Owner <owner@localhost>", subject
    made.set_content(body)
    return made


def send(sink: Sink, what: EmailMessage, source: str = MACHINE, password: str | None = None) -> None:
    """Send as Jenkins does: TLS with the authority's certificate, then the login."""
    login = sink._login
    with smtplib.SMTP(AT, sink._port, timeout=30, source_address=(source, 0)) as server:
        server.starttls(context=ssl.create_default_context(cafile=str(login.folder / mail_login.AUTHORITY)))
        if password != "":
            server.login(login.user, password or login.password)
        server.send_message(what)


def test_what_a_machine_sends_is_kept_with_its_envelope_and_shown(sink: Sink, port: int, tmp_path: Path) -> None:
    send(sink, message("canary #3 failed", "Grüße: see https://ci/\n.\nafter a dot\n"))

    (found,) = list_kept(tmp_path / "mail")
    told = summarize(found)
    assert (1, "jenkins@localhost", "owner@localhost", "canary #3 failed") == tuple(
        told[key] for key in ("number", "from", "to", "subject")
    )
    shown = format_text(found)
    assert "To: Owner <owner@localhost>\nSubject: canary #3 failed\n\nGrüße: see https://ci/\n.\nafter a dot" in shown
    assert f"from [{MACHINE}]" in found.read()["Received"]
    assert 1 == sink.describe_state()["kept"]


def test_only_its_owner_reads_it(sink: Sink, port: int, tmp_path: Path) -> None:
    send(sink, message("one"))

    assert 0o700 == stat.S_IMODE((tmp_path / "mail").stat().st_mode)
    assert [0o600] == [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "mail").iterdir()]


def test_a_stranger_is_refused_and_this_host_is_not(sink: Sink, port: int, tmp_path: Path) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused, match="this environment's machines alone"):
        send(sink, message("from elsewhere"), STRANGER)
    assert [] == list_kept(tmp_path / "mail")

    send(sink, message("from here"), AT)

    assert ["from here"] == [summarize(it)["subject"] for it in list_kept(tmp_path / "mail")]


def test_without_tls_nothing_is_taken_and_no_login_is_offered(sink: Sink, port: int, tmp_path: Path) -> None:
    with smtplib.SMTP(AT, port, timeout=30, source_address=(MACHINE, 0)) as server:
        server.ehlo()
        assert not server.has_extn("auth")
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            server.send_message(message("clear"))

    assert (530, b"Must issue a STARTTLS command first") == (refused.value.smtp_code, refused.value.smtp_error)
    assert [] == list_kept(tmp_path / "mail")


def test_without_a_login_nothing_is_taken(sink: Sink, tmp_path: Path) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(sink, message("nobody"), password="")

    assert (530, b"Authentication required") == (refused.value.smtp_code, refused.value.smtp_error)
    assert [] == list_kept(tmp_path / "mail")


def test_a_wrong_password_is_refused(sink: Sink, tmp_path: Path) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        send(sink, message("wrong"), password="guessed")

    assert (535, b"Authentication Credentials Invalid") == (refused.value.smtp_code, refused.value.smtp_error)
    assert [] == list_kept(tmp_path / "mail")


def test_in_the_sandbox_every_recipient_must_be_verified(port: int, tmp_path: Path) -> None:
    sink = make_sink(tmp_path, port, is_sandboxed=True)
    sink.listen(AT)
    to_others = message("to others")
    to_others["Cc"] = f"{SENDER}, team@example.org"
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink, to_others)

    failed = "The following identities failed the check in region EU-CENTRAL-1: owner@localhost, team@example.org"
    words = f"Message rejected: Email address is not verified. {failed}"
    assert (554, words.encode()) == (refused.value.smtp_code, refused.value.smtp_error)
    strange = message("strange")
    strange.replace_header("From", "owner@localhost")
    with pytest.raises(smtplib.SMTPDataError, match=r"EU-CENTRAL-1: owner@localhost'"):  # the same address, once
        send(sink, strange)
    assert [] == list_kept(tmp_path / "mail")

    allowed = message("to a verified one")
    allowed.replace_header("To", f"{SENDER}, success@simulator.amazonses.com")
    send(sink, allowed)

    assert ["to a verified one"] == [summarize(it)["subject"] for it in list_kept(tmp_path / "mail")]


def test_a_sender_that_is_not_verified_is_refused_on_the_envelope_and_in_the_head(sink: Sink, tmp_path: Path) -> None:
    strange = message("strange")
    strange.replace_header("From", "Somebody <other@example.org>")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink, strange)

    assert 554 == refused.value.smtp_code
    words = refused.value.smtp_error
    assert isinstance(words, bytes)
    assert words.startswith(b"Message rejected: Email address is not verified. The following identities failed")
    assert words.endswith(b"in region EU-CENTRAL-1: other@example.org")
    strange["Sender"] = SENDER  # then the envelope has it
    with pytest.raises(smtplib.SMTPDataError):
        send(sink, strange)
    assert [] == list_kept(tmp_path / "mail")


def test_the_authority_signs_for_no_public_address(sink: Sink, tmp_path: Path) -> None:
    context = sink._login.make_context("198.51.100.7")
    trusting = ssl.create_default_context(cafile=str(tmp_path / mail_login.AUTHORITY))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="198.51.100.7")
    server = context.wrap_bio(outgoing, incoming, server_side=True)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        for _ in range(6):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue


def test_login_and_authority_stay_over_a_restart_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first = mail_login.ensure(tmp_path, "jenkins")
    authority = (tmp_path / mail_login.AUTHORITY).read_text()

    assert first == mail_login.ensure(tmp_path, "jenkins")
    assert authority == (tmp_path / mail_login.AUTHORITY).read_text()
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}


def test_the_newest_are_kept_and_numbers_go_on(
    sink: Sink, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "KEPT", 3)
    for number in range(1, 6):
        send(sink, message(f"number {number}"))

    assert [3, 4, 5] == [it.number for it in list_kept(tmp_path / "mail")]

    monkeypatch.setattr(mail, "KEPT_BYTES", 2000)
    send(sink, message("large", "x" * 70 + "\n"))
    send(sink, message("larger", ("x" * 70 + "\n") * 20))

    assert [7] == [it.number for it in list_kept(tmp_path / "mail")]
    assert [] == list((tmp_path / "mail").glob("*.part"))


def test_too_large_a_message_is_refused(sink: Sink, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_LARGEST", 10_000)

    with pytest.raises(smtplib.SMTPException, match="exceeds"):
        send(sink, message("large", ("x" * 70 + "\n") * 400))
    assert [] == list_kept(tmp_path / "mail")


def test_what_cannot_be_kept_is_for_the_sender_to_try_again(sink: Sink, port: int, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")

    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink, message("lost"))

    assert 452 == refused.value.smtp_code


def test_a_taken_port_is_told_and_tried_again(tmp_path: Path, port: int) -> None:
    sink = make_sink(tmp_path, port)
    with socket.socket() as other:
        other.bind((AT, port))
        other.listen()
        sink.listen(AT)
        assert [f"mail cannot be received at {AT}:{port}: Address already in use"] == sink.describe_state()["problems"]
        assert [] == sink.describe_state()["listens"]

    sink.listen(AT)

    assert ([f"{AT}:{port}"], []) == (sink.describe_state()["listens"], sink.describe_state()["problems"])
    send(sink, message("at last"))
    assert 1 == sink.describe_state()["kept"]


def test_an_address_without_a_certificate_is_told_leaves_the_port_and_is_tried_again(tmp_path: Path, port: int) -> None:
    sink = make_sink(tmp_path, port)
    authority = tmp_path / mail_login.AUTHORITY
    text_of_authority = authority.read_text()
    for broken in (None, "damaged"):
        authority.unlink()
        if broken:
            authority.write_text(broken)
        sink.listen(AT)
        (problem,) = sink.describe_state()["problems"]
        assert problem.startswith(f"mail cannot be received at {AT}:{port}: ")
        assert [] == sink.describe_state()["listens"]
        with socket.socket() as free:
            free.bind((AT, port))
            free.listen()
        authority.write_text(text_of_authority)

    sink.listen(AT)

    assert ([f"{AT}:{port}"], []) == (sink.describe_state()["listens"], sink.describe_state()["problems"])
    send(sink, message("at last"))
    assert 1 == sink.describe_state()["kept"]


def test_addresses_that_come_at_once_have_certificates_of_their_own(tmp_path: Path, port: int) -> None:
    login = mail_login.ensure(tmp_path, "jenkins")
    addresses = [f"127.0.1.{number}" for number in range(1, 9)]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(login.make_context, addresses))

    assert 8 == len(made)
    assert [] == list(tmp_path.glob("mail-server*"))


def test_a_page_alone_is_shown_as_its_text_and_attachments_by_name(sink: Sink, port: int, tmp_path: Path) -> None:
    made = message("report")
    made.set_content("<p>red</p>\n", subtype="html")
    made.add_attachment(b"1,2\n", maintype="text", subtype="csv", filename="numbers.csv")
    send(sink, made)

    (found,) = list_kept(tmp_path / "mail")
    assert format_text(found).endswith("<p>red</p>\nattached: numbers.csv")
