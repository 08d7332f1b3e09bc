"""The network command's views of what is there: `explain`, `verify` and `diagram`; they look, and change nothing."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.context import Context
from bootstrap.errors import UsageError
from bootstrap.network import proof
from bootstrap.network.model import Network
from bootstrap.runs.journal import Run
from bootstrap.views import enforcement, network_diagram, network_explanation, network_reading, vpn_configuration

ACTIONS = {
    "explain": "network explain SOURCE DESTINATION PORT",
    "verify": "network verify",
    "diagram": "network diagram [FILE]",
    "vpn-configuration": "network vpn-configuration [FILE]",
}
_ARGUMENTS = {"explain": (3, 3), "verify": (0, 0), "diagram": (0, 1), "vpn-configuration": (0, 1)}
_OPEN, _NOT_OPEN = 0, 1
_MARKS: Mapping[proof.Outcome, str] = {"holds": "+", "broken": "x", "unproven": "?"}


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
        network_explanation.port(options.what[2])


def show(options: argparse.Namespace, made: Context, run: Run) -> int:
    """Carry out one of the actions; the exit code is 1 where the path is not open or an intention does not hold."""
    if options.action == "vpn-configuration":
        vpn_configuration.show(made, run, Path(options.what[0]) if options.what else None)
        return _OPEN
    there = network_reading.read(made, options.what[:2] if options.action == "explain" else ())
    if options.action == "diagram":
        return _diagram(there, made, options.what, run)
    network = network_reading.with_everybody(made, there)
    if options.action == "explain":
        source, destination, port = options.what
        return _OPEN if network_explanation.show(network, source, destination, port, run) else _NOT_OPEN
    found = _verify(network, made, run)
    network_diagram.tell(made, run)
    return found


def _verify(network: Network, made: Context, run: Run) -> int:
    """The exit code is of the intentions, each of which must be proven; whether rules hold on this machine is told too."""
    found = proof.judge(network, *network_reading.intended(made.settings))
    for it in found:
        run.event("intention", about=it.about, holds=it.outcome == "holds", outcome=it.outcome, detail=it.says)
        run.say(f"  {_MARKS[it.outcome]} {it}")
    counted = Counter(it.outcome for it in found)
    told = [f"{counted['broken']} broken", *([f"{counted['unproven']} not proven"] if counted["unproven"] else [])]
    run.say(
        f"{counted['holds']} of {len(found)} hold{'' if counted['holds'] == len(found) else ', ' + ', '.join(told)}"
    )
    _tell_enforced(made, run)
    return _OPEN if counted["holds"] == len(found) else _NOT_OPEN


def _tell_enforced(made: Context, run: Run) -> None:
    found = enforcement.look(made.world.endpoint)
    if found is None:
        return
    run.event("enforced", rules=found.rules, problems=list(found.problems))
    for problem in found.problems:
        run.notice(f"the rules are not enforced on this machine: {problem}")
    if not found.problems:
        run.say(f"on this machine: {found}")


def _diagram(network: Network, made: Context, what: Sequence[str], run: Run) -> int:
    target = Path(what[0]) if what else run.folder / network_diagram.NAME
    target.write_text(network_diagram.svg(made, network), encoding="utf-8")
    run.event("drawn", path=str(target))
    run.say(str(target))
    return _OPEN
