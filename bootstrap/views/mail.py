"""Where the environment's mail goes and whether it is taken: the cloud on this machine tells of its own server."""

from __future__ import annotations

from bootstrap import wording
from bootstrap.cloud import local_control
from bootstrap.environment.models import Settings
from bootstrap.values import Reporter

_PATH = "/_bootstrap/mail"


def look(endpoint: str | None, settings: Settings, tool: str) -> tuple[str, str]:
    """The place, and its state in words; of a mail server that is not the local cloud's, only the place is known."""
    told = local_control.ask(endpoint, _PATH)
    if not told:
        return f"{settings.mail.smtp_host or 'localhost'}:{settings.mail.smtp_port}", "not checked"
    count = told["kept"]
    words = f"{wording.counted(count, 'message')} kept; '{tool} mail' shows them"
    return str(told["folder"]), "; ".join(told["problems"]) or words


def problems(endpoint: str | None) -> list[str]:
    """Where the local cloud cannot take mail, and why."""
    return list((local_control.ask(endpoint, _PATH) or {}).get("problems", ()))


def tell(endpoint: str | None, report: Reporter) -> None:
    """Say aloud where no mail can be taken."""
    for problem in problems(endpoint):
        report.notice(f"{problem}; free the port, or set mail.smtp_port")
