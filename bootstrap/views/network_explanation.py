"""What `network explain` tells: every hop of the most telling path, its end, and what becomes of all the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bootstrap.errors import UsageError
from bootstrap.network.imagined import is_planned
from bootstrap.network.model import Network, Protocol
from bootstrap.network.reach import ECHO, Hop, Path, every, most_telling
from bootstrap.runs.journal import Run

_GATEWAYS = frozenset({"gateway", "endpoint", "peering"})
_PLANNED = "(planned): no machine has this role yet; the result is for the subnet of its first machine"


def port(text: str) -> tuple[int, Protocol]:
    """A port as the command line writes it; UsageError where it is none."""
    if text == "icmp":
        return ECHO, "icmp"
    number, _, protocol = text.partition("/")
    known: dict[str, Protocol] = {"": "tcp", "tcp": "tcp", "udp": "udp"}
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535) or protocol not in known:
        remedy = "Write a number from 1 to 65535, with /udp for UDP (53/udp), or icmp for an echo request."
        raise UsageError("reading the command line", f"'{text}' is not a port", remedy)
    return int(number), known[protocol]


def show(network: Network, source: str, destination: str, asked: str, run: Run) -> bool:
    """Tell it; whether any path is open."""
    ways = every(network, source, destination, *port(asked))
    found = most_telling(ways)
    _hops(found, run)
    decided = found.decided_by
    run.say(f"{found.source} -> {found.destination} {found.what}: {found.verdict}{_by(found)}")
    if any(is_planned(end) for end in (found.source, found.destination)):
        run.say(_PLANNED)
    outcomes = alike(ways)
    run.event(
        "explained",
        source=source,
        destination=destination,
        port=asked,
        verdict=found.verdict,
        decided_by=_told(decided),
        ways=len(ways),
        outcomes=[_outcome(it) for it in outcomes],
    )
    if len(ways) > 1:
        run.say(f"of {len(ways)} pairs of ends, each of which speaks for all that no rule tells apart:")
        for some in outcomes:
            run.say(f"  {some[0].verdict:<7} {len(some):>3}  {some[0].source} -> {some[0].destination}{_by(some[0])}")
    return found.verdict == "open"


def alike(ways: Iterable[Path]) -> list[list[Path]]:
    """Paths that end at the same hop, or lead by the same gateway, together: open ones first, then the most frequent."""
    found: dict[tuple[str, str, str], list[Path]] = {}
    for way in ways:
        hop = way.decided_by or _gateway(way)
        found.setdefault((way.verdict, hop.kind if hop else "", hop.name if hop else ""), []).append(way)
    ranks: Sequence[str] = ("open", "unknown", "closed")
    return sorted(found.values(), key=lambda some: (ranks.index(some[0].verdict), -len(some)))


def _gateway(way: Path) -> Hop | None:
    """The last gateway that an open path leads by."""
    return next((hop for hop in reversed(way.hops) if hop.kind.split()[-1] in _GATEWAYS), None)


def _hops(found: Path, run: Run) -> None:
    width = max(len(hop.kind) for hop in found.hops)
    for hop in found.hops:
        run.event("hop", **_telling(hop))
        run.say(f"  {_mark(hop)} {hop.kind:<{width}} {hop.name}: {hop.says}")


def _mark(hop: Hop) -> str:
    if not hop.passes:
        return "x"
    return "+" if hop.is_sure else "?"


def _telling(hop: Hop) -> dict[str, str | bool]:
    return {"kind": hop.kind, "name": hop.name, "says": hop.says, "passes": hop.passes, "sure": hop.is_sure}


def _told(hop: Hop | None) -> dict[str, str | bool] | None:
    return None if hop is None else _telling(hop)


def _outcome(some: Sequence[Path]) -> dict[str, object]:
    """The ends are those of the first of them."""
    first = some[0]
    ends = {"source": first.source, "destination": first.destination}
    return {"verdict": first.verdict, "paths": len(some), **ends, "decided_by": _told(first.decided_by)}


def _by(way: Path) -> str:
    hop, gateway = way.decided_by, _gateway(way)
    if hop is not None:
        return f", {'stopped by' if way.stopped_by else 'because of'} {hop.kind} {hop.name}"
    return f" by {gateway.kind} {gateway.name}" if gateway is not None else ""
