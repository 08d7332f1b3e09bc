"""Scripts that outlive the connection to the controller, as the durable tasks of Jenkins do.

A script has a folder of its own beside the workspace. Its output is in a file there, and its exit code in another one as soon
as it has ended. So nothing of it depends on the agent's program: whoever reads the files later misses nothing.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LOG, OUTPUT, RESULT, PROCESS = "jenkins-log.txt", "output.txt", "jenkins-result.txt", "pid"
LOST = -1  # the exit code of a script that ended without one, because it was killed or its machine went down
_PIECE = 1 << 16  # bytes
_SHORTEST, _LONGEST = 0.05, 0.5  # seconds between two looks at the output
_GRACE_SECONDS = 5.0


def start_script(control: str, command: list[str], directory: str, environment: dict[str, str], capture: bool) -> None:
    """Start a command in a session of its own; one that was started before is left alone.

    With `capture` its standard output goes into a file of its own, and only the errors into the log.
    """
    folder = Path(control)
    if (folder / PROCESS).exists():
        return
    log, output, result = (shlex.quote(str(folder / name)) for name in (LOG, OUTPUT, RESULT))
    sinks = f">{output} 2>{log}" if capture else f">{log} 2>&1"
    # The shell around the command stays when the group is told to end, because it must write the exit code.
    words = f"trap : TERM; {shlex.join(command)} {sinks}; echo $? >{result}.new; mv {result}.new {result}"
    started = subprocess.Popen(
        ["/bin/sh", "-c", words],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (folder / PROCESS).write_text(f"{started.pid}\n", encoding="ascii")
    threading.Thread(target=started.wait, daemon=True).start()  # so that it is no zombie


async def read_output(control: str, offset: int) -> AsyncIterator[bytes]:
    """The log of a script from a byte on, until the script has ended."""
    folder, pause = Path(control), _SHORTEST
    with suppress(FileNotFoundError):
        (folder / LOG).touch()
    with (folder / LOG).open("rb") as log:
        log.seek(offset)
        while True:
            has_ended = (folder / RESULT).exists() or not _is_alive(folder)
            piece = log.read(_PIECE)
            if piece:
                pause = _SHORTEST
                yield piece
            elif has_ended:
                return
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 1.3, _LONGEST)


def read_end(control: str) -> tuple[int, str]:
    """The exit code of a script that has ended, and its standard output if that was captured."""
    folder, code, output = Path(control), LOST, ""
    with suppress(FileNotFoundError, ValueError):
        code = int((folder / RESULT).read_text(encoding="ascii"))
    with suppress(FileNotFoundError):
        output = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace")
    return code, output


def stop_script(control: str) -> None:
    """End a script: TERM to all of its group, KILL to what is left after five seconds."""
    folder = Path(control)
    group = _read_process(folder)
    if group is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and _is_alive(folder):
        time.sleep(_SHORTEST)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _read_process(folder: Path) -> int | None:
    with suppress(FileNotFoundError, ValueError):
        return int((folder / PROCESS).read_text(encoding="ascii"))
    return None


def _is_alive(folder: Path) -> bool:
    number = _read_process(folder)
    if number is None:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's: the number was given again
        return False
    return True


OPERATIONS: Mapping[str, Callable[..., Any]] = {"start_script": start_script, "stop_script": stop_script}
