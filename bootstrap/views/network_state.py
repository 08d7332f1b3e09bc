"""The actions of the command `network` that change nothing: `explain`, `verify`, `diagram` and `vpn-configuration`."""

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
    """UsageError for arguments that the action does not take; called before the environment is opened."""
    least, most = _ARGUMENTS.get(options.action, (0, 0))
    if not least <= len(options.what) <= most:
        complaint = f"'{options.action}' takes {least if least == most else f'{least} or {most}'} arguments"
        usage = ACTIONS.get(options.action, f"network {options.action}")
        raise UsageError("reading the command line", f"{complaint}, not {len(options.what)}", f"Write: {usage}")
    for name, action in (("out", "plan"), ("plan", "apply")):
        if getattr(options, name) is not None and options.action != action:
            complaint = f"'--{name}' goes with '{action}', not with '{options.action}'"
            raise UsageError("reading the command line", complaint, f"Write: network {action} --{name} FILE")
    if options.action == "explain":
        network_explanation.parse_port(options.what[2])


def show(options: argparse.Namespace, context: Context, run: Run) -> int:
    """Carry out one of the actions; the exit code is 1 if the path is not open or an intention does not hold."""
    if options.action == "vpn-configuration":
        vpn_configuration.show(context, run, Path(options.what[0]) if options.what else None)
        return _OPEN
    existing = network_reading.read(context, options.what[:2] if options.action == "explain" else ())
    if options.action == "diagram":
        return _write_diagram(existing, context, options.what, run)
    network = network_reading.add_planned_interfaces(context, existing)
    if options.action == "explain":
        source, destination, port = options.what
        return _OPEN if network_explanation.show(network, source, destination, port, run) else _NOT_OPEN
    exit_code = _verify(network, context, run)
    network_diagram.report_diagram(context, run)
    return exit_code


def _verify(network: Network, context: Context, run: Run) -> int:
    """Judge the intentions; the exit code is 0 if all hold. Also shows whether the local cloud enforces the rules."""
    judgements = proof.judge(network, *network_reading.list_intentions(context.settings))
    for judgement in judgements:
        run.event(
            "intention",
            about=judgement.about,
            holds=judgement.outcome == "holds",
            outcome=judgement.outcome,
            detail=judgement.says,
        )
        run.say(f"  {_MARKS[judgement.outcome]} {judgement}")
    counted = Counter(judgement.outcome for judgement in judgements)
    others = [f"{counted['broken']} broken", *([f"{counted['unproven']} not proven"] if counted["unproven"] else [])]
    run.say(
        f"{counted['holds']} of {len(judgements)} hold{'' if counted['holds'] == len(judgements) else ', ' + ', '.join(others)}"
    )
    _report_enforced(context, run)
    return _OPEN if counted["holds"] == len(judgements) else _NOT_OPEN


def _report_enforced(context: Context, run: Run) -> None:
    state = enforcement.read_enforcement(context.world.endpoint)
    if state is None:
        return
    run.event("enforced", rules=state.rules, problems=list(state.problems))
    for problem in state.problems:
        run.notice(f"the rules are not enforced on this machine: {problem}")
    if not state.problems:
        run.say(f"on this machine: {state}")


def _write_diagram(network: Network, context: Context, what: Sequence[str], run: Run) -> int:
    target = Path(what[0]) if what else run.folder / network_diagram.NAME
    target.write_text(network_diagram.draw_svg(context, network), encoding="utf-8")
    run.event("drawn", path=str(target))
    run.say(str(target))
    return _OPEN
