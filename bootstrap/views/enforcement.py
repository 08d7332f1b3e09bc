"""Whether the rules of the network are enforced between machines, as the local cloud reports it; AWS always enforces them."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.cloud import local_control
from bootstrap.values import Reporter

_PATH = "/_bootstrap/enforcement"


@dataclass(frozen=True)
class Enforced:
    """The number of rules in the packet filter (0 before there is a machine), and the problems."""

    rules: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if not self.rules and not self.problems:
            return "no machines yet, so no rules are enforced"
        return "; ".join(self.problems) or f"enforced between machines by nftables, {self.rules} rules"


def read_enforcement(endpoint: str | None, *, settle_by: str | None = None) -> Enforced | None:
    """Ask the local cloud at `endpoint`; None if another cloud answers.

    With the token `settle_by`, the local cloud first applies the rules that are pending.
    """
    answer = local_control.ask_control(endpoint, _PATH, "POST" if settle_by else "GET", settle_by)
    try:
        return None if answer is None else Enforced(sum(answer["regions"].values()), tuple(answer["problems"]))
    except (KeyError, AttributeError):
        return None


def report_enforcement(endpoint: str | None, token: str | None, report: Reporter) -> None:
    """Let the local cloud apply pending rules, if there is a token for that, and report problems as notices."""
    state = read_enforcement(endpoint, settle_by=token)
    for problem in state.problems if state else ():
        report.notice(f"the network's rules are not enforced: {problem}")
