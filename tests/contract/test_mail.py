"""Mail about builds, read from a small server of the test's own."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from email import message_from_string, policy
from email.message import Message
from typing import Any

import jenkins
import pytest

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
