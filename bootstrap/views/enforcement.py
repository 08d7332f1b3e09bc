"""Whether the network's rules really hold between the machines, as the cloud on this machine tells; AWS' own always do."""

from __future__ import annotations

from dataclasses import dataclass

from bootstrap.cloud import local_control
from bootstrap.values import Reporter

_PATH = "/_bootstrap/enforcement"


@dataclass(frozen=True)
class Enforced:
    """How many rules the packet filter holds (none before a machine was made), and what is not as it should be."""

    rules: int
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if not self.rules and not self.problems:
            return "no machines yet, so no rules are enforced"
        return "; ".join(self.problems) or f"enforced between machines by nftables, {self.rules} rules"


def look(endpoint: str | None, *, settle_by: str | None = None) -> Enforced | None:
    """Ask the local cloud at `endpoint`; None where another cloud answers.

    `settle_by` is the token with which it is told to set first what is due.
    """
    told = local_control.ask(endpoint, _PATH, "POST" if settle_by else "GET", settle_by)
    try:
        return None if told is None else Enforced(sum(told["regions"].values()), tuple(told["problems"]))
    except (KeyError, AttributeError):
        return None


def tell(endpoint: str | None, token: str | None, report: Reporter) -> None:
    """Have it set what is due, where there is a token for that, and say aloud what cannot be."""
    found = look(endpoint, settle_by=token)
    for problem in found.problems if found else ():
        report.notice(f"the network's rules are not enforced: {problem}")
