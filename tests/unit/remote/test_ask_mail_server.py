"""The program that asks the mail server, against the local cloud's mail server over the loopback."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local import mail_login
from bootstrap.local.mail import Senders, Sink, list_kept

PROGRAM = Path(__file__).parents[3] / "bootstrap" / "remote" / "files" / "ask_mail_server.py"
AT = "127.0.0.5"


@pytest.fixture(scope="module")
def program() -> Any:
    spec = importlib.util.spec_from_file_location("ask_mail_server", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the program is asked, with a server that takes it."""
    with socket.socket() as probe:
        probe.bind((AT, 0))
        port = int(probe.getsockname()[1])
    login = mail_login.ensure(tmp_path, "jenkins")
    Sink(tmp_path / "mail", port, Senders(lambda _: True, lambda _: True, "eu-central-1"), login).listen(AT)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / mail_login.AUTHORITY))
    word = str(tmp_path / mail_login.PASSWORD)
    settings = {"host": AT, "port": port, "security": "starttls", "user": "jenkins", "password": word}
    return settings | {"sender": "ci@localhost"}


def test_a_right_login_comes_to_the_sender_and_sends_nothing(
    program: Any, asked: dict[str, Any], tmp_path: Path
) -> None:
    told = program.ask_server(asked)

    assert "ok" == told["connection"] and told["tls"].startswith("TLSv1.")
    assert told["login"].startswith("235 ") and told["sender"].startswith("250 ")
    assert [] == list_kept(tmp_path / "mail")


def test_a_wrong_password_is_told(program: Any, asked: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("guessed")

    told = program.ask_server(asked | {"password": str(tmp_path / "wrong")})

    assert "535 Authentication Credentials Invalid" == told["login"] and "sender" not in told


def test_a_certificate_that_nobody_trusts_is_told(
    program: Any, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    told = program.ask_server(asked)

    assert "CERTIFICATE_VERIFY_FAILED" in told["tls"] and "login" not in told


def test_a_server_that_wants_tls_refuses_a_sender_without_it(program: Any, asked: dict[str, Any]) -> None:
    told = program.ask_server(asked | {"security": "none", "user": ""})

    assert ("none", "none", "530 Must issue a STARTTLS command first") == (told["tls"], told["login"], told["sender"])


def test_a_closed_port_is_told(program: Any, asked: dict[str, Any]) -> None:
    with socket.socket() as probe:
        probe.bind((AT, 0))
        closed = probe.getsockname()[1]

    told = program.ask_server(asked | {"port": closed})

    assert ["connection"] == list(told) and "refused" in told["connection"]


@pytest.mark.parametrize("word", ["gehe\u00efm", "gehe\u00efm".encode("latin-1")], ids=["UTF-8", "Latin 1"])
def test_a_password_that_cannot_be_sent_is_told_without_it(
    program: Any, asked: dict[str, Any], tmp_path: Path, word: str | bytes
) -> None:
    (tmp_path / "odd").write_bytes(word if isinstance(word, bytes) else word.encode())

    told = program.ask_server(asked | {"password": str(tmp_path / "odd")})

    assert "not tried: user, password or sender has a character that is not ASCII" == told["login"]
    assert "sender" not in told


def test_a_server_that_is_slow_in_each_step_is_given_up_with_what_it_said(program: Any, asked: dict[str, Any]) -> None:
    with socket.create_server((AT, 0)) as silent:
        told = program.ask_server(asked | {"port": silent.getsockname()[1]}, 0.3)

    assert {"connection": "TimeoutError: no answer within 0.3 s"} == told
    assert program.ALL_SECONDS < 20
