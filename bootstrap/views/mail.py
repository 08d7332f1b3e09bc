"""Where the mail of the environment goes, and whether the mail server of the local cloud accepts it."""

from __future__ import annotations

from bootstrap import wording
from bootstrap.cloud import local_control
from bootstrap.environment.models import Settings
from bootstrap.values import Reporter

_PATH = "/_bootstrap/mail"


def read_mail_state(endpoint: str | None, settings: Settings, tool: str) -> tuple[str, str]:
    """The folder or address of the mail, and its state in words; another mail server than the local cloud's is not checked."""
    answer = local_control.ask_control(endpoint, _PATH)
    if not answer:
        return f"{settings.mail.smtp_host or 'localhost'}:{settings.mail_port}", "not checked"
    count = answer["kept"]
    stored = f"{wording.count_noun(count, 'message')} kept; '{tool} mail' shows them"
    return str(answer["folder"]), "; ".join(answer["problems"]) or stored


def list_problems(endpoint: str | None) -> list[str]:
    """The problems of the local cloud's mail server, each with its reason; empty for another cloud."""
    return list((local_control.ask_control(endpoint, _PATH) or {}).get("problems", ()))


def report_problems(endpoint: str | None, report: Reporter) -> None:
    """Report each problem as a notice."""
    for problem in list_problems(endpoint):
        report.notice(f"{problem}; free the port, or set mail.smtp_port")
