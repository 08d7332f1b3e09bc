"""The output of `network explain`: every hop of one path, its verdict, and the outcomes of all other paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bootstrap.errors import UsageError
from bootstrap.network.model import Network, Protocol
from bootstrap.network.path_explanation import ECHO, Hop, Path, Traffic, choose_path, explain_all
from bootstrap.network.planned_interfaces import is_planned
from bootstrap.runs.journal import Run

_GATEWAYS = frozenset({"gateway", "endpoint", "peering"})
_PLANNED = "(planned): no machine has this role yet; the result is for the subnet of its first machine"


def parse_port(text: str) -> tuple[int, Protocol]:
    """Parse a port of the command line: '443', '53/udp' or 'icmp'; UsageError if it is none."""
    if text == "icmp":
        return ECHO, "icmp"
    number, _, protocol = text.partition("/")
    protocols: dict[str, Protocol] = {"": "tcp", "tcp": "tcp", "udp": "udp"}
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535) or protocol not in protocols:
        remedy = "Write a number from 1 to 65535, with /udp for UDP (53/udp), or icmp for an echo request."
        raise UsageError("reading the command line", f"'{text}' is not a port", remedy)
    return int(number), protocols[protocol]


def show(network: Network, source: str, destination: str, port_text: str, run: Run) -> bool:
    """Print the paths between two ends; True if one is open. UsageError if a name or the port is not valid."""
    ways = explain_all(network, source, destination, Traffic(*parse_port(port_text)))
    chosen = choose_path(ways)
    _print_hops(chosen, run)
    deciding_hop = chosen.decided_by
    run.say(f"{chosen.source} -> {chosen.destination} {chosen.what}: {chosen.verdict}{_name_gateway(chosen)}")
    if any(is_planned(end) for end in (chosen.source, chosen.destination)):
        run.say(_PLANNED)
    outcomes = group_paths(ways)
    run.event(
        "explained",
        source=source,
        destination=destination,
        port=port_text,
        verdict=chosen.verdict,
        decided_by=_describe_or_none(deciding_hop),
        ways=len(ways),
        outcomes=[_describe_outcome(it) for it in outcomes],
    )
    if len(ways) > 1:
        run.say(f"{len(ways)} paths were checked; each stands for all addresses that the rules treat alike:")
        for paths in outcomes:
            run.say(
                f"  {paths[0].verdict:<7} {len(paths):>3}  {paths[0].source} -> {paths[0].destination}{_name_gateway(paths[0])}"
            )
    return chosen.verdict == "open"


def group_paths(ways: Iterable[Path]) -> list[list[Path]]:
    """Group paths that end at the same hop, or lead through the same gateway: open ones first, then the largest group."""
    groups: dict[tuple[str, str, str], list[Path]] = {}
    for way in ways:
        hop = way.decided_by or _find_last_gateway(way)
        groups.setdefault((way.verdict, hop.kind if hop else "", hop.name if hop else ""), []).append(way)
    ranks: Sequence[str] = ("open", "unknown", "closed")
    return sorted(groups.values(), key=lambda paths: (ranks.index(paths[0].verdict), -len(paths)))


def _find_last_gateway(way: Path) -> Hop | None:
    """The last gateway on an open path."""
    return next((hop for hop in reversed(way.hops) if hop.kind.split()[-1] in _GATEWAYS), None)


def _print_hops(path: Path, run: Run) -> None:
    width = max(len(hop.kind) for hop in path.hops)
    for hop in path.hops:
        run.event("hop", **_describe(hop))
        run.say(f"  {_choose_mark(hop)} {hop.kind:<{width}} {hop.name}: {hop.says}")


def _choose_mark(hop: Hop) -> str:
    if not hop.passes:
        return "x"
    return "+" if hop.is_sure else "?"


def _describe(hop: Hop) -> dict[str, str | bool]:
    return {"kind": hop.kind, "name": hop.name, "says": hop.says, "passes": hop.passes, "sure": hop.is_sure}


def _describe_or_none(hop: Hop | None) -> dict[str, str | bool] | None:
    return None if hop is None else _describe(hop)


def _describe_outcome(paths: Sequence[Path]) -> dict[str, object]:
    """One group of paths as JSON; its ends are those of its first path."""
    first = paths[0]
    ends = {"source": first.source, "destination": first.destination}
    return {"verdict": first.verdict, "paths": len(paths), **ends, "decided_by": _describe_or_none(first.decided_by)}


def _name_gateway(way: Path) -> str:
    hop, gateway = way.decided_by, _find_last_gateway(way)
    if hop is not None:
        return f", {'stopped by' if way.stopped_by else 'because of'} {hop.kind} {hop.name}"
    return f" by {gateway.kind} {gateway.name}" if gateway is not None else ""
