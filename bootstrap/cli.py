"""The command line: one sub-command per capability; sole owner of the arguments, the console and the exit codes.

Exit codes: 0 done, 1 failed (also a verify with a red check), 2 usage or a broken environment file, and from `plan` 2 for
'changes pending', unless `--exit-zero` keeps the two apart. The commands themselves are imported when they are called, so
that `--help` costs nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from bootstrap.examples import epilog


def _count(text: str) -> int:
    """A number of lines: at least one."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid number of lines: '{text}'") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


_PASS_ON = {"ssh", "test"}  # what follows these is another program's
_TAKE_A_NAME = (["-e"], ["--environment"])  # which may be a command's


def _flags(parser: argparse.ArgumentParser, default: object) -> None:
    """The flags that may stand before the command and behind it; behind it, one that is left out overrides nothing."""
    shown: dict[str, Any] = {"action": "store_true", "default": default}
    parser.add_argument("--json", help="events and results as JSON lines on standard output", **shown)
    parser.add_argument("--yes", "-y", help="agree to what would be asked", **shown)
    parser.add_argument("--verbose", "-v", help="show passing progress too", **shown)


Setup = Callable[[argparse.ArgumentParser], None]


def _now(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--now", action="store_true", help="do not wait for running builds before Jenkins restarts: it interrupts them"
    )


def _launch(parser: argparse.ArgumentParser) -> None:
    _now(parser)
    parser.add_argument("--skip-verify", action="store_true", help="leave the last act out")
    parser.add_argument(
        "--plan", metavar="FILE", help="apply exactly this saved plan, or nothing where the world moved"
    )


def _pending(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--exit-zero",
        action="store_true",
        help="of a plan: end with 0 also where changes are pending, so that 2 is wrong usage and nothing else",
    )


def _plan(parser: argparse.ArgumentParser) -> None:
    _pending(parser)
    parser.add_argument("--out", metavar="FILE", help="keep the plan, for 'launch --plan FILE'")


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only checks whose name holds NAME")


def _destroy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delete-data",
        metavar="ENVIRONMENT",
        help="also delete the data volume and the secrets; repeat the name to agree",
    )
    parser.add_argument("--unprotect", action="store_true", help="also where the environment says 'protect: true'")


def _ssh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "remote", metavar="COMMAND", nargs=argparse.REMAINDER, help="a command to run there; none opens a shell"
    )


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=_count, default=50, help="how many of the last lines (50)")
    parser.add_argument("--follow", "-f", action="store_true", help="go on showing new lines")
    parser.add_argument("unit", nargs="?", default="jenkins.service", help="the systemd unit (jenkins.service)")


def _password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", choices=("admin", "toolkit"), default="admin", help="whose (admin)")


def _act(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("plan", "apply"), default="apply", help="look, or do (apply)")
    _pending(parser)


def _host(parser: argparse.ArgumentParser) -> None:
    _act(parser)
    _now(parser)


def _jobs(parser: argparse.ArgumentParser) -> None:
    _act(parser)
    parser.add_argument("--again", action="append", default=[], metavar="JOB", help="send this job whatever differs")


def _network(parser: argparse.ArgumentParser) -> None:
    actions = ("plan", "apply", "verify", "destroy", "explain", "diagram", "vpn-configuration")
    parser.add_argument("action", nargs="?", choices=actions, default="apply", help="look, do, or view (apply)")
    _pending(parser)
    parser.add_argument(
        "what",
        nargs="*",
        metavar="WHAT",
        help="explain SOURCE DESTINATION PORT (a role, operators, internet, an id or a block; 443, 53/udp); "
        "diagram [FILE]; vpn-configuration [FILE]",
    )
    parser.add_argument("--out", metavar="FILE", help="keep the plan, for 'network apply --plan FILE'")
    parser.add_argument("--plan", metavar="FILE", help="apply exactly this kept plan, or nothing where the world moved")
    parser.add_argument(
        "--unprotect", action="store_true", help="destroy also where the environment says 'protect: true'"
    )


def _job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the job's full name")
    parser.add_argument(
        "--parameter", "-p", action="append", default=[], metavar="NAME=VALUE", help="a build parameter"
    )


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--policy", action="store_true", help="print the IAM policy that the launcher needs, as JSON")


def _mail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "number", nargs="?", type=int, metavar="NUMBER", help="the message to show; else all are listed"
    )


def _history(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=_count, default=20, help="how many of the last runs (20)")
    parser.add_argument(
        "--all", action="store_true", help="also those that only looked something up: status, password ..."
    )


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="a run, its name's beginning, or a resource's id or ARN; else the last run",
    )
    parser.add_argument("--text", action="store_true", help="the run itself as plain text, not its page's path")
    parser.add_argument("--resources", action="store_true", help="the resources that carry the run's tag")


def _test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tox", nargs=argparse.REMAINDER, help="what to hand to tox, e.g. -e unit")


# Sub-command: what it does, and its own arguments. The function of the same name in `commands` carries it out.
COMMANDS: dict[str, tuple[str, Setup | None]] = {
    "launch": ("from nothing to a running, configured, verified Jenkins", _launch),
    "plan": ("what a launch would change; exits with 2 where something would", _plan),
    "verify": ("check the running server; exits with 1 where a check fails", _verify),
    "status": ("what there is and whether it runs", None),
    "password": ("print a user's password", _password),
    "ssh": ("open a shell on the machine, or run a command there", _ssh),
    "logs": ("the last lines of a service's journal", _logs),
    "network": ("the network alone: its stacks, who reaches whom, whether that is intended, and its picture", _network),
    "host": ("the machine alone", _host),
    "casc": ("Jenkins' configuration alone", _act),
    "jobs": ("Jenkins' jobs alone", _jobs),
    "doctor": ("what would stop a launch, before anything is made; exits with 1 where something would", _doctor),
    "drift": ("what is not as the code says and was not put there by it; exits with 2 where something is", None),
    "build": ("start a job and follow its console", _job),
    "mail": ("what the machines of an environment on this machine have sent", _mail),
    "history": ("the runs of this checkout: when, what, how they ended", _history),
    "report": ("the page of a run, also found by a resource that it changed", _report),
    "destroy": ("take the environment down; retained data stays unless told", _destroy),
    "schema": ("print the environment files' JSON Schema", None),
    "lock": ("resolve requirements.lock afresh from pyproject.toml", None),
    "test": ("run the project's tests through tox", _test),
}


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    made = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="One command from nothing to a working, verified Jenkins that is entirely code.",
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--environment", "-e", default=os.environ.get("BOOTSTRAP_ENVIRONMENT", "local"), metavar="NAME",
                      help="the environment: a name under environments/, or a file (local)")  # fmt: skip
    _flags(made, False)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (description, setup) in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=description,
            description=f"{description[0].upper()}{description[1:]}.",
            epilog=epilog(name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if setup is not None:
            setup(sub)
        if name not in _PASS_ON:
            _flags(sub, argparse.SUPPRESS)
    return made


def _with_toxs_own_apart(arguments: Sequence[str]) -> list[str]:
    """What follows 'test' is tox's, options too: a '--' before it keeps argparse from taking them for its own."""
    given = list(arguments)
    place = next(
        (at for at, word in enumerate(given) if word in COMMANDS and given[at - 1 : at] not in _TAKE_A_NAME), -1
    )
    if place >= 0 and given[place] == "test" and given[place + 1 : place + 2] not in (["-h"], ["--help"], ["--"]):
        given.insert(place + 1, "--")
    return given


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one command line."""
    options = parser().parse_args(_with_toxs_own_apart(arguments))
    if options.command == "test":
        options.tox = options.tox[options.tox[:1] == ["--"] :]
    return options


def main(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. An expected failure is printed as one block, anything else is a bug and shows."""
    options = parse(arguments)
    from bootstrap import commands, console
    from bootstrap.errors import BootstrapError

    try:
        return commands.run(options)
    except BootstrapError as error:
        console.failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; the same command goes on from here\n")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
