"""A command of the toolkit whose SSH connection is cut: `python cutting.py ACT BYTES ARGUMENTS...`.

It is cut once, in that act, when so many bytes have come from the machine since the act began; that is said on standard error.
"""

import runpy
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.remote.shell import FabricShell
from bootstrap.runs.journal import Run

ACT, BYTES = sys.argv[1], int(sys.argv[2])
began, dial = Run.act, FabricShell._dial_tcp
now = {"act": "", "bytes": 0, "is_cut": False}


class Stream:
    """The connection's socket."""

    def __init__(self, opened: socket.socket) -> None:
        self._opened = opened
        self._is_cut = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def recv(self, size: int) -> bytes:
        """Some bytes, none of them beyond the cut."""
        if self._is_cut:  # the kernel would still hand out what it has received
            return b""
        found = self._opened.recv(size)
        if now["act"] != ACT or now["is_cut"]:
            return found
        left = BYTES - now["bytes"]
        now["bytes"] += len(found)
        if len(found) < left:
            return found
        now["is_cut"] = self._is_cut = True
        print(f"cut in {ACT} after {BYTES} bytes", file=sys.stderr)
        self._opened.shutdown(socket.SHUT_RDWR)
        return found[:left]


@contextmanager
def act(run: Run, name: str, title: str, **named: Any) -> Iterator[None]:
    """An act, known by its name."""
    now.update(act=name, bytes=0)
    with began(run, name, title, **named):
        yield


Run.act = act
FabricShell._dial_tcp = lambda shell: Stream(dial(shell))
sys.argv[1:] = sys.argv[3:]
runpy.run_module("bootstrap", run_name="__main__", alter_sys=True)
