"""One command's conversation over an SSH channel: input and output at the same time, with an end in time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import paramiko

from bootstrap.remote import commands
from bootstrap.remote.local_shell import TIMED_OUT

_CHUNK = 1 << 15  # bytes; what an SSH packet carries at most


def converse(channel: Any, stdin: bytes, timeout: float | None, lines: commands.Lines) -> tuple[int, bytes, bytes]:
    """Send all input while reading all output, so that neither side can block the other; code 124 when time runs out."""
    problems = commands.Lines(None)
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        channel.close()

    timer = threading.Timer(timeout, give_up) if timeout is not None else None
    workers = [
        threading.Thread(target=_feed, args=(channel, stdin), daemon=True),
        threading.Thread(target=_drain, args=(channel.recv_stderr, problems), daemon=True),
    ]
    for worker in (*workers, *([timer] if timer else [])):
        worker.daemon = True
        worker.start()
    _drain(channel.recv, lines)
    for worker in workers:
        worker.join()
    code = channel.recv_exit_status() if not is_late.is_set() else TIMED_OUT
    if timer:
        timer.cancel()
    if is_late.is_set():
        return TIMED_OUT, bytes(lines.output), f"no result after {timeout} s".encode()
    if code == -1:
        raise EOFError("the connection ended before the command did")
    return code, bytes(lines.output), bytes(problems.output)


def _feed(channel: Any, data: bytes) -> None:
    """Send the input; a command that ends without reading it all is no error, and a lost connection is told by its reader."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            channel.sendall(view[start : start + _CHUNK])
        channel.shutdown_write()


def _drain(receive: Callable[[int], bytes], into: commands.Lines) -> None:
    while data := receive(_CHUNK):
        into += data
