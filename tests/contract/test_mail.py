"""Mail about builds, read from a small server of the test's own."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from email import message_from_string, policy
from email.message import Message
from pathlib import Path
from typing import Any

import jenkins
import pytest

from bootstrap.local import mail_login
from bootstrap.local.mail import Senders, Sink, list_kept, summarize

pytestmark = pytest.mark.own_process


class Receiver(socketserver.StreamRequestHandler):
    """The least of SMTP (RFC 5321) that a client needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            word = line.decode().strip().upper()
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (text := self.rfile.readline().decode()).rstrip("\r\n") != ".":
                    lines.append(text)
                self.server.messages.append(message_from_string("".join(lines), policy=policy.default))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


@pytest.fixture
def sink() -> Iterator[tuple[int, list[Message]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Receiver) as server:
        server.messages = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.messages  # type: ignore[attr-defined]
        server.shutdown()


def run(client: Any, name: str) -> None:
    import time

    number = client.get_job_info(name)["nextBuildNumber"]
    client.build_job(name)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        last = client.get_job_info(name)["lastCompletedBuild"]
        if last and last["number"] == number:
            return
        time.sleep(0.05)
    raise AssertionError("the build did not end")


def test_failure_recovery_and_pipelines_send_mail(
    fresh: Any, sink: tuple[int, list[Message]], freestyle: Callable[..., str], pipeline: Callable[[str], str]
) -> None:
    port, messages = sink
    server = f"smtpHost: 127.0.0.1, smtpPort: '{port}'"
    settings = (
        f"mailer: {{{server}}}, email-ext: {{mailAccount: {{{server}}}}}, location: {{adminAddress: 'ci@localhost'}}"
    )
    (fresh.casc / "30-mail.yaml").write_text(f"unclassified: {{{settings}}}\n")
    fresh.start()
    client = jenkins.Jenkins(fresh.url, "admin", "admin-password", timeout=30)
    mailer = '<hudson.tasks.Mailer plugin="mailer"><recipients>team@localhost</recipients></hudson.tasks.Mailer>'
    publisher = f"<publishers>{mailer}</publishers>"
    client.create_job("free", freestyle('test "$BUILD_NUMBER" != 1', publisher))
    run(client, "free")
    run(client, "free")
    run(client, "free")
    assert [message["Subject"] for message in messages] == [
        "Build failed in Jenkins: free #1",
        "Jenkins build is back to normal : free #2",
    ]
    assert (messages[0]["From"], messages[0]["To"]) == ("ci@localhost", "team@localhost")
    assert "marked build as failure" in messages[0].as_string()
    steps = "mail to: 'a@localhost', subject: \"about ${env.JOB_NAME}\", body: 'text'\n"
    steps += "emailext to: 'b@localhost', subject: '$PROJECT_NAME', body: 'x'"
    client.create_job("pipe", pipeline(f"node {{\n{steps}\n}}"))
    run(client, "pipe")
    assert [message["Subject"] for message in messages[2:]] == ["about pipe", "pipe"]


@pytest.fixture
def strict(tmp_path: Path) -> tuple[int, Path, str]:
    """A server that takes mail as Amazon SES does: its port, the folder of what it took, and the password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    login = mail_login.ensure(tmp_path, "jenkins")
    senders = Senders(lambda _: True, lambda address: address == "ci@localhost", "eu-central-1")
    Sink(tmp_path / "mail", port, senders, login).listen("127.0.0.1")
    return port, tmp_path / "mail", login.password


def configure(fresh: Any, port: int, password: str, *more: str) -> jenkins.Jenkins:
    """Start with the login for both publishers."""
    encrypted = "" if "plain" in more else ", useTls: true"
    server = f"smtpHost: 127.0.0.1, smtpPort: '{port}'{encrypted}"
    login = f"authentication: {{username: jenkins, password: '{password}'}}"
    extended = (
        f"email-ext: {{debugMode: {str('debug' in more).lower()}, mailAccount: {{{server}, credentialsId: mail}}}}"
    )
    scope = "SYSTEM" if "system" in more else "GLOBAL"
    (fresh.casc / "30-mail.yaml").write_text(
        f"unclassified: {{mailer: {{{server}, {login}}}, {extended}, location: {{adminAddress: 'ci@localhost'}}}}\n"
    )
    credential = f"usernamePassword: {{scope: {scope}, id: mail, username: jenkins, password: '{password}'}}"
    (fresh.casc / "40-login.yaml").write_text(
        f"credentials: {{system: {{domainCredentials: [{{credentials: [{{{credential}}}]}}]}}}}\n"
    )
    if "distrusting" not in more:
        fresh.variables["SSL_CERT_FILE"] = str(fresh.root / mail_login.AUTHORITY)
    fresh.start()
    return jenkins.Jenkins(fresh.url, "admin", "admin-password", timeout=30)


def build(client: jenkins.Jenkins, name: str, xml: str) -> tuple[str, str]:
    client.create_job(name, xml)
    run(client, name)
    return client.get_build_info(name, 1)["result"], client.get_build_console_output(name, 1)


def step(pipeline: Callable[[str], str], kind: str, sender: str = "") -> str:
    return pipeline(f"{kind} to: 'a@localhost', subject: '{kind}', body: 'text'{sender}")


def test_both_publishers_log_in_over_tls(fresh: Any, strict: tuple[int, Path, str], pipeline: Any) -> None:
    port, folder, password = strict
    client = configure(fresh, port, password)

    results = [build(client, kind, step(pipeline, kind))[0] for kind in ("mail", "emailext")]

    assert ["SUCCESS", "SUCCESS"] == results
    assert ["mail", "emailext"] == [summarize(it)["subject"] for it in list_kept(folder)]


def test_a_wrong_password_is_said_as_jakarta_mail_says_it(
    fresh: Any, strict: tuple[int, Path, str], pipeline: Any, freestyle: Any
) -> None:
    port, folder, _ = strict
    client = configure(fresh, port, "guessed", "debug")
    words = "jakarta.mail.AuthenticationFailedException: 535 Authentication Credentials Invalid"

    result, console = build(client, "mail", step(pipeline, "mail"))
    assert "FAILURE" == result and words in console
    # The extended publisher never changes the result, and says the reason in its debug mode alone.
    result, console = build(client, "emailext", step(pipeline, "emailext"))
    assert "SUCCESS" == result
    assert "AuthenticationFailedException message: 535 Authentication Credentials Invalid" in console
    # The publisher of freestyle jobs leaves the result as it is, too.
    mailer = '<hudson.tasks.Mailer plugin="mailer"><recipients>team@localhost</recipients></hudson.tasks.Mailer>'
    result, console = build(client, "free", freestyle("exit 1", f"<publishers>{mailer}</publishers>"))
    assert "FAILURE" == result
    assert f"ERROR: 535 Authentication Credentials Invalid\n\n{words}" in console
    assert [] == list_kept(folder)


def test_a_sender_that_is_not_verified_is_said(fresh: Any, strict: tuple[int, Path, str], pipeline: Any) -> None:
    port, folder, password = strict
    client = configure(fresh, port, password)
    other = ", from: 'other@localhost'"

    result, console = build(client, "mail", step(pipeline, "mail", other))
    assert "FAILURE" == result
    failed = "org.eclipse.angus.mail.smtp.SMTPSendFailedException: 554 Message rejected: Email address is not verified."
    assert failed in console
    result, console = build(client, "emailext", step(pipeline, "emailext", other))
    assert "SUCCESS" == result and "Not sent to the following valid addresses: a@localhost" in console
    assert [] == list_kept(folder)


def test_a_server_that_is_not_trusted_gets_no_password(
    fresh: Any, strict: tuple[int, Path, str], pipeline: Any
) -> None:
    port, folder, password = strict
    client = configure(fresh, port, password, "distrusting")

    result, console = build(client, "mail", step(pipeline, "mail"))

    assert "FAILURE" == result and "jakarta.mail.MessagingException: Could not convert socket to TLS" in console
    assert [] == list_kept(folder)


def test_a_server_that_wants_tls_and_a_credential_that_no_build_may_use(
    fresh: Any, strict: tuple[int, Path, str], pipeline: Any
) -> None:
    port, folder, password = strict
    client = configure(fresh, port, password, "plain", "system", "debug")

    result, console = build(client, "mail", step(pipeline, "mail"))
    assert "FAILURE" == result and "SMTPSendFailedException: 530 Must issue a STARTTLS command first" in console
    result, console = build(client, "emailext", step(pipeline, "emailext"))
    assert "SUCCESS" == result
    assert "AuthenticationFailedException message: failed to connect, no password specified?" in console
    assert [] == list_kept(folder)
