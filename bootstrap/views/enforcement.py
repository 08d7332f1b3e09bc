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


def look(endpoint: str | None, *, settle: bool = False) -> Enforced | None:
    """Ask the local cloud at `endpoint`, having it set what is due first where `settle`; None where another cloud answers."""
    told = local_control.ask(endpoint, _PATH, "POST" if settle else "GET")
    try:
        return None if told is None else Enforced(sum(told["regions"].values()), tuple(told["problems"]))
    except (KeyError, AttributeError):
        return None


def tell(endpoint: str | None, report: Reporter) -> None:
    """Have it set what is due, and say aloud what cannot be."""
    found = look(endpoint, settle=True)
    for problem in found.problems if found else ():
        report.notice(f"the network's rules are not enforced: {problem}")
