"""The network command's views of what is there: `explain`, `verify` and `diagram`; they look, and change nothing."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.context import Context
from bootstrap.environment.settings import Settings, spoken_of
from bootstrap.errors import UsageError
from bootstrap.network import imagined, proof, snapshot
from bootstrap.network.intentions import Intention, is_environment
from bootstrap.network.model import Network
from bootstrap.runs.journal import Run
from bootstrap.views import enforcement, network_explanation, vpn_configuration

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
    from bootstrap.views import network_diagram

    there = read(made, options.what[:2] if options.action == "explain" else ())
    if options.action == "diagram":
        return _diagram(there, made, options.what, run)
    network = with_everybody(made, there)
    if options.action == "explain":
        source, destination, port = options.what
        return _OPEN if network_explanation.show(network, source, destination, port, run) else _NOT_OPEN
    found = _verify(network, made, run)
    network_diagram.tell(made, run)
    return found


def read(made: Context, names: Sequence[str] = ()) -> Network:
    """The environment's network as EC2 describes it now, with the environments that its intentions or `names` speak of."""
    settings = made.settings
    asked = {*settings.network.intentions.environments(), *(it for it in names if is_environment(it))}
    named = spoken_of(made.environment_file, settings, sorted(asked))
    return snapshot.read(
        made.world.aws("ec2"),
        made.outputs("network")["VpcId"],
        f"{settings.project}-{settings.name}-",
        settings.access.operator_cidr,
        named,
    )


def with_everybody(made: Context, network: Network) -> Network:
    """The network with whom it is for: a role that nobody has yet is judged where its first machine will stand."""
    bastion = made.settings.network.bastion
    public = ("bastion",) if bastion is not None and bastion.allow else ()
    return imagined.with_everybody(network, made.outputs("network"), public)


def intended(settings: Settings) -> tuple[tuple[Intention, ...], tuple[Intention, ...]]:
    """What the environment allows and what it denies."""
    bastion = settings.network.bastion.allow if settings.network.bastion else ()
    intentions, operators = settings.network.intentions, settings.access.operator_cidr
    return (
        intentions.allowed(bastion, operators=operators, is_ssh_direct=settings.ssh == "direct"),
        intentions.denied(),
    )


def _verify(network: Network, made: Context, run: Run) -> int:
    """The exit code is of the intentions, each of which must be proven; whether rules hold on this machine is told too."""
    found = proof.judge(network, *intended(made.settings))
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
        run.notice(f"not enforced on this machine: {problem}")
    if not found.problems:
        run.say(f"on this machine: {found}")


def _diagram(network: Network, made: Context, what: Sequence[str], run: Run) -> int:
    from bootstrap.views import network_diagram

    target = Path(what[0]) if what else run.folder / network_diagram.NAME
    target.write_text(network_diagram.svg(made, network), encoding="utf-8")
    run.event("drawn", path=str(target))
    run.say(str(target))
    return _OPEN
