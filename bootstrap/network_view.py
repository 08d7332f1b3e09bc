"""The network command's views of what is there: `explain`, `verify` and `diagram`; they look, and change nothing."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bootstrap import enforced, vpn_configuration
from bootstrap.context import Context
from bootstrap.errors import UsageError
from bootstrap.network import imagined, proof, snapshot
from bootstrap.network.intentions import Intention
from bootstrap.network.model import Network, Protocol
from bootstrap.network.places import spots
from bootstrap.network.reach import Path as Way
from bootstrap.network.reach import explain, paths
from bootstrap.run import Run
from bootstrap.settings import Settings

ACTIONS = {
    "explain": "network explain SOURCE DESTINATION PORT",
    "verify": "network verify",
    "diagram": "network diagram [FILE]",
    "vpn-configuration": "network vpn-configuration [FILE]",
}
_ARGUMENTS = {"explain": (3, 3), "verify": (0, 0), "diagram": (0, 1), "vpn-configuration": (0, 1)}
_OPEN, _NOT_OPEN = 0, 1


def check(options: argparse.Namespace) -> None:
    """Refuse arguments that the action does not take, before anything is opened."""
    least, most = _ARGUMENTS.get(options.action, (0, 0))
    if not least <= len(options.what) <= most:
        found = f"'{options.action}' takes {least if least == most else f'{least} or {most}'} arguments"
        usage = ACTIONS.get(options.action, f"network {options.action}")
        raise UsageError("reading the command line", f"{found}, not {len(options.what)}", f"Write: {usage}")
    for name, action in (("out", "plan"), ("plan", "apply")):
        if getattr(options, name) is not None and options.action != action:
            found = f"'--{name}' goes with '{action}', not with '{options.action}'"
            raise UsageError("reading the command line", found, f"Write: network {action} --{name} FILE")
    if options.action == "explain":
        _port(options.what[2])


def show(options: argparse.Namespace, made: Context, run: Run) -> int:
    """Carry out one of the actions; the exit code is 1 where the path is not open or an intention does not hold."""
    if options.action == "vpn-configuration":
        vpn_configuration.show(made, run, Path(options.what[0]) if options.what else None)
        return _OPEN
    from bootstrap import network_diagram

    there = read(made)
    if options.action == "diagram":
        return _diagram(there, made, options.what, run)
    network = with_everybody(made, there)
    if options.action == "explain":
        return _explain(network, options.what, run)
    found = _verify(network, made, run)
    network_diagram.tell(made, run)
    return found


def read(made: Context) -> Network:
    """The environment's network as EC2 describes it now."""
    settings = made.settings
    prefix = f"{settings.project}-{settings.name}-"
    return snapshot.read(made.world.aws("ec2"), made.outputs("network")["VpcId"], prefix, settings.access.operator_cidr)


def with_everybody(made: Context, network: Network) -> Network:
    """The network with whom it is for: before a controller was made, every role is judged where it will stand."""
    if "controller" in made.stacks:
        return network
    return imagined.with_everybody(network, made.outputs("network"))


def intended(settings: Settings) -> tuple[tuple[Intention, ...], tuple[Intention, ...]]:
    """What the environment allows and what it denies."""
    bastion = settings.network.bastion.allow if settings.network.bastion else ()
    return settings.network.intentions.allowed(
        bastion, is_ssh_direct=settings.ssh == "direct"
    ), settings.network.intentions.denied()


def _port(text: str) -> tuple[int, Protocol]:
    number, _, protocol = text.partition("/")
    known: dict[str, Protocol] = {"": "tcp", "tcp": "tcp", "udp": "udp"}
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535) or protocol not in known:
        found = f"'{text}' is no port"
        raise UsageError(
            "reading the command line", found, "Write a number from 1 to 65535, with /udp for UDP: 53/udp."
        )
    return int(number), known[protocol]


def _explain(network: Network, what: Sequence[str], run: Run) -> int:
    source, destination = what[0], what[1]
    port, protocol = _port(what[2])
    found = explain(network, source, destination, port, protocol)
    for hop in found.hops:
        run.event("hop", kind=hop.kind, name=hop.name, says=hop.says, passes=hop.passes)
        run.say(f"  {'+' if hop.passes else 'x'} {hop.kind:<16} {hop.name}: {hop.says}")
    ways = list(paths(network, spots(network, source), spots(network, destination), port, protocol))
    is_open = sum(way.verdict == "open" for way in ways)
    run.event("explained", source=source, destination=destination, port=what[2], verdict=found.verdict, ways=len(ways))
    run.say(f"{found.source} -> {found.destination} {protocol} {port}: {found.verdict}{_stopped(found)}")
    if len(ways) > 1:
        run.say(f"the most telling of {len(ways)} paths, of which {is_open} are open")
    return _OPEN if found.verdict == "open" else _NOT_OPEN


def _stopped(way: Way) -> str:
    return f", stopped by {way.stopped_by.kind} {way.stopped_by.name}" if way.stopped_by else ""


def _verify(network: Network, made: Context, run: Run) -> int:
    """The exit code is of the intentions; that on this machine their rules hold, or not, is told besides."""
    allow, deny = intended(made.settings)
    found = [(f"allow {wish}", proof.promised(network, wish)) for wish in allow]
    found += [(f"deny {ban}", proof.banned(network, ban)) for ban in deny]
    exposed = list(proof.exposed(network, allow))
    found += [(it.about, it) for it in exposed] or [("nothing else is reachable from the Internet", None)]
    for about, broken in found:
        run.event("intention", about=about, holds=broken is None, detail=broken.says if broken else "")
        run.say(f"  {'x' if broken else '+'} {about}{f': {broken.says}' if broken else ''}")
    _tell_enforced(made, run)
    return _NOT_OPEN if any(broken for _, broken in found) else _OPEN


def _tell_enforced(made: Context, run: Run) -> None:
    found = enforced.look(made.world.endpoint)
    if found is None:
        return
    run.event("enforced", rules=found.rules, problems=list(found.problems))
    for problem in found.problems:
        run.notice(f"not enforced on this machine: {problem}")
    if not found.problems:
        run.say(f"on this machine: {found}")


def _diagram(network: Network, made: Context, what: Sequence[str], run: Run) -> int:
    from bootstrap import network_diagram

    target = Path(what[0]) if what else run.folder / network_diagram.NAME
    target.write_text(network_diagram.svg(made, network), encoding="utf-8")
    run.event("drawn", path=str(target))
    run.say(str(target))
    return _OPEN
