"""The local cloud's mail server, over real SMTP on the loopback's addresses."""

from __future__ import annotations

import smtplib
import socket
import stat
from email.message import EmailMessage
from pathlib import Path

import pytest

from bootstrap.local import mail
from bootstrap.local.mail import Sink, kept, summary, text

AT, MACHINE, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((AT, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sink(tmp_path: Path, port: int) -> Sink:
    made = Sink(tmp_path / "mail", port, lambda peer: peer == MACHINE)
    made.listen(AT)
    return made


def message(subject: str, body: str = "the text\n") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "jenkins@localhost", "Owner <owner@localhost>", subject
    made.set_content(body)
    return made


def send(port: int, what: EmailMessage, source: str = MACHINE) -> None:
    with smtplib.SMTP(AT, port, timeout=30, source_address=(source, 0)) as server:
        server.send_message(what)


def test_what_a_machine_sends_is_kept_with_its_envelope_and_shown(sink: Sink, port: int, tmp_path: Path) -> None:
    send(port, message("canary #3 failed", "Grüße: see https://ci/\n.\nafter a dot\n"))

    (found,) = kept(tmp_path / "mail")
    told = summary(found)
    assert (1, "jenkins@localhost", "owner@localhost", "canary #3 failed") == tuple(
        told[key] for key in ("number", "from", "to", "subject")
    )
    shown = text(found)
    assert "To: Owner <owner@localhost>\nSubject: canary #3 failed\n\nGrüße: see https://ci/\n.\nafter a dot" in shown
    assert f"from [{MACHINE}]" in found.read()["Received"]
    assert 1 == sink.state()["kept"]


def test_only_its_owner_reads_it(sink: Sink, port: int, tmp_path: Path) -> None:
    send(port, message("one"))

    assert 0o700 == stat.S_IMODE((tmp_path / "mail").stat().st_mode)
    assert [0o600] == [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "mail").iterdir()]


def test_a_stranger_is_refused_and_this_host_is_not(sink: Sink, port: int, tmp_path: Path) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused, match="this environment's machines alone"):
        send(port, message("from elsewhere"), STRANGER)
    assert [] == kept(tmp_path / "mail")

    send(port, message("from here"), AT)

    assert ["from here"] == [summary(it)["subject"] for it in kept(tmp_path / "mail")]


def test_the_newest_are_kept_and_numbers_go_on(
    sink: Sink, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "KEPT", 3)
    for number in range(1, 6):
        send(port, message(f"number {number}"))

    assert [3, 4, 5] == [it.number for it in kept(tmp_path / "mail")]

    monkeypatch.setattr(mail, "KEPT_BYTES", 2000)
    send(port, message("large", "x" * 70 + "\n"))
    send(port, message("larger", ("x" * 70 + "\n") * 20))

    assert [7] == [it.number for it in kept(tmp_path / "mail")]
    assert [] == list((tmp_path / "mail").glob("*.part"))


def test_too_large_a_message_is_refused(sink: Sink, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_LARGEST", 10_000)

    with pytest.raises(smtplib.SMTPException, match="exceeds"):
        send(port, message("large", ("x" * 70 + "\n") * 400))
    assert [] == kept(tmp_path / "mail")


def test_what_cannot_be_kept_is_for_the_sender_to_try_again(sink: Sink, port: int, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be")

    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(port, message("lost"))

    assert 452 == refused.value.smtp_code


def test_a_taken_port_is_told_and_tried_again(tmp_path: Path, port: int) -> None:
    sink = Sink(tmp_path / "mail", port, lambda _: True)
    with socket.socket() as other:
        other.bind((AT, port))
        other.listen()
        sink.listen(AT)
        assert [f"mail cannot be received at {AT}:{port}: Address already in use"] == sink.state()["problems"]
        assert [] == sink.state()["listens"]

    sink.listen(AT)

    assert ([f"{AT}:{port}"], []) == (sink.state()["listens"], sink.state()["problems"])
    send(port, message("at last"))
    assert 1 == sink.state()["kept"]


def test_a_page_alone_is_shown_as_its_text_and_attachments_by_name(sink: Sink, port: int, tmp_path: Path) -> None:
    made = message("report")
    made.set_content("<p>red</p>\n", subtype="html")
    made.add_attachment(b"1,2\n", maintype="text", subtype="csv", filename="numbers.csv")
    send(port, made)

    (found,) = kept(tmp_path / "mail")
    assert text(found).endswith("<p>red</p>\nattached: numbers.csv")
