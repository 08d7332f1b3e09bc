"""The toolkit's real entry, started once for many commands: each is a fork of it, over a checkout of the tests' own.

A process that starts for each of a hundred cases would spend a minute on imports alone. Here one process imports the command
line and then forks for each command; in the fork, the real `cli.main` runs with its own working directory, output and exit
code. The doors to the outside stand open to be noticed: whoever starts a cloud, a program or a connection leaves a word in the
file `touched` and gets no further.

Run as a program with the checkout as its argument: reads one JSON object a line from standard input
({"argv": [...], "cwd": "..."}), answers one a line.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from bootstrap.cli import parser

# What only looks at the checkout's own commit.
HARMLESS = {"git"}
# Packages whose modules are imported when a command needs them: each fork would import them anew. The local cloud, which no
# case reaches, has a process of its own.
IMPORTED = ("bootstrap", "jenkins_jobs.modules", "cfnlint.api")
NOT_IMPORTED = {"bootstrap.local.aws", "bootstrap.local.emulator", "bootstrap.remote.converge", "bootstrap.__main__"}


def import_all(name: str) -> None:
    """The module and, of a package, every module below it."""
    module = importlib.import_module(name)
    for each in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        if each.name not in NOT_IMPORTED:
            import_all(each.name)


class Touched(BaseException):
    """Something outside was about to be touched."""


def guard(log: Path) -> None:
    """Note and stop whatever leaves this process."""

    def noted(what: str) -> NoReturn:
        with log.open("a") as file:
            file.write(f"{what}\n")
        raise Touched(what)

    from bootstrap.environment import lock
    from bootstrap.local.cloud import LocalCloud

    real = subprocess.Popen.__init__

    def popen(self: Any, args: Any, *rest: Any, **more: Any) -> None:
        program = Path(str(args if isinstance(args, str) else next(iter(args)))).name
        if program not in HARMLESS:
            noted(f"program {program}")
        real(self, args, *rest, **more)

    subprocess.Popen.__init__ = popen  # type: ignore[method-assign]
    socket.socket.connect = lambda self, address: noted(f"connection {address}")  # type: ignore[method-assign, assignment]
    LocalCloud.bring_up = lambda self, *_, **__: noted("cloud up")  # type: ignore[method-assign, assignment]
    LocalCloud.require_room = lambda self: noted("cloud for a plan")  # type: ignore[method-assign, assignment]
    LocalCloud.attach = lambda self, *_: noted("cloud attach")  # type: ignore[method-assign, assignment]
    lock.hold_lock = lambda *_, **__: noted("lock")  # type: ignore[assignment]


def warm_up(checkout: str) -> None:
    """Run one command here, so that what the commands remember by content (the shipped files) is in each fork."""
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(checkout)
    with contextlib.suppress(SystemExit, Touched):
        parser.main(["-e", "trial", "launch"])
    sys.stdout.flush()
    sys.stderr.flush()
    for number, was in enumerate(kept, start=1):
        os.dup2(was, number)
        os.close(was)
    os.close(nowhere)


def command(argv: list[str], cwd: str, out: str, err: str) -> NoReturn:
    """One command, in a fork of this process."""
    code = 70
    for name, number in ((out, 1), (err, 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(cwd)
    try:
        code = parser.main(argv)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except Touched:
        code = 99
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Serve commands until standard input ends."""

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "touched"
        guard(log)
        for name in IMPORTED:
            import_all(name)
        warm_up(sys.argv[1])
        for line in sys.stdin:
            asked = json.loads(line)
            log.unlink(missing_ok=True)
            out, err = f"{folder}/out", f"{folder}/err"
            pid = os.fork()
            if pid == 0:
                command(asked["argv"], asked["cwd"], out, err)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            told = [Path(name).read_text(errors="replace") for name in (out, err)]
            touched = log.read_text().split("\n")[:-1] if log.exists() else []
            sys.stdout.write(json.dumps({"code": code, "out": told[0], "err": told[1], "touched": touched}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
