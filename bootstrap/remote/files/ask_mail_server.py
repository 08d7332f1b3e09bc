#!/usr/bin/python3 -IS
"""Connects to the mail server as Jenkins does, and says as JSON how far it came: connection, TLS, login, sender.

Nothing is sent: the session ends after the sender was named. Root runs it, for the inspector; nobody else reads the password,
which is in a file that systemd hands to Jenkins. Neither the password nor the settings are arguments.
"""

import json
import smtplib
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

STEPS = ("connection", "tls", "login", "sender")
CONFIGURATION = Path("/etc/bootstrap/inspect.json")
SECONDS = 15  # of one answer
ALL_SECONDS = 17  # of all; the inspector waits 20 seconds


def ask_server(asked: dict[str, Any], seconds: float = ALL_SECONDS) -> dict[str, str]:
    """What the server said to each step; the step that failed has the reason, and those after it are not there."""
    answers: dict[str, str] = {}
    # A thread: the resolution of a name cannot be interrupted otherwise.
    session = threading.Thread(target=hold_session, args=(asked, answers), daemon=True)
    session.start()
    session.join(seconds)
    if not session.is_alive():
        return answers
    answered = dict(answers)
    step = next((name for name in STEPS if name not in answered), STEPS[-1])
    return answered | {step: f"TimeoutError: no answer within {seconds} s"}


def hold_session(asked: dict[str, Any], answers: dict[str, str]) -> None:
    """Go through the steps, and write into `told` what the server says."""
    step = "connection"
    try:
        with open_session(asked) as server:
            answers[step] = "ok"
            step = "tls"
            if asked["security"] == "starttls":
                server.starttls(context=ssl.create_default_context())
            answers[step] = server.sock.version() or "" if isinstance(server.sock, ssl.SSLSocket) else "none"
            step = "login"
            if asked["user"]:
                answer = server.login(asked["user"], Path(asked["password"]).read_text().strip())  # as Jenkins reads it
                answers[step] = f"{answer[0]} {answer[1].decode(errors='replace')}"
            else:
                answers[step] = "none"
            step = "sender"
            server.ehlo_or_helo_if_needed()
            code, answered = server.mail(asked["sender"])
            answers[step] = f"{code} {answered.decode(errors='replace')}"
            server.rset()
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error
        answers[step] = f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
    except (OSError, smtplib.SMTPException) as error:
        answers[step] = f"{type(error).__name__}: {error}"
    except UnicodeError:  # its text has a character of the password
        answers[step] = "not tried: user, password or sender has a character that is not ASCII"
    except ValueError as error:
        answers[step] = f"not tried: {error}"


def open_session(asked: dict[str, Any]) -> smtplib.SMTP:
    """A connection, with TLS from the first byte if the settings say so."""
    host, port = asked["host"], int(asked["port"])
    if asked["security"] == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=SECONDS)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask_server(json.loads(CONFIGURATION.read_text())["mail"])) + "\n")
