"""Sends `converge` to the machine: its modules as one zip archive, then the document, in a single exec.

The launcher keeps the archive in memory only; nothing of the program stays on the machine. Both parts are compressed,
because on a slow connection a run without changes waits mostly for the bytes of the request.
"""

from __future__ import annotations

import functools
import io
import json
import secrets
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent / "converge"
_LAUNCHER = (
    "import os,sys\n"
    "r=sys.stdin.buffer\n"
    "f=os.memfd_create('converge')\n"
    "os.write(f,r.read(int(r.readline())))\n"
    "sys.path.insert(0,'/proc/self/fd/%d'%f)\n"
    "from bootstrap.remote.converge.main import main\n"
    "main()"
)
COMMAND = ("python3", "-I", "-S", "-c", _LAUNCHER)
Document = Mapping[str, Any]


class NoAnswer(ValueError):
    """The program's answer is not in the output."""


@functools.cache
def build_archive(*, fetches: bool = False) -> bytes:
    """The program as a zip archive: the same bytes for the same sources. What only a fetch needs is not in every request."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name in ("bootstrap/__init__.py", "bootstrap/remote/__init__.py"):
            bundle.writestr(zipfile.ZipInfo(name), b"")
        for path in sorted(_PACKAGE.glob("*.py")):
            if path.name == "fetching.py" and not fetches:
                continue
            entry = zipfile.ZipInfo(f"bootstrap/remote/converge/{path.name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def make_request(
    mode: str,
    resources: Sequence[Mapping[str, Any]],
    drain: Document | None = None,
    *,
    authorities: Mapping[str, str] | None = None,
    plain: Sequence[str] = (),
    lock: str | None = None,
) -> tuple[bytes, str]:
    """What to send on standard input for `mode`, and the marker that the answer will follow.

    `mode` is 'check', 'apply', 'drain' or 'fetch'; with 'fetch', the resources are files ('sha256', 'url', 'size'), and
    `authorities` are certificates (PEM) by name that the machine may not have, `plain` the servers (host and port) that may be
    asked by HTTP. `drain` says, by the name of a unit, how to wait
    for its builds; it is no part of the desired state. `lock` is another file than the machine's own, which only root may make:
    tests converge a folder of their own.
    """
    marker = f"---converge-{secrets.token_hex(8)}---"
    wish = {"mode": mode, "marker": marker, "resources": list(resources), "drain": drain or {}}
    fetches = mode == "fetch"
    wish |= {"authorities": dict(authorities or {}), "plain": list(plain)} if fetches else {}
    document = json.dumps(wish | ({"lock": lock} if lock else {}))
    program = build_archive(fetches=fetches)
    return b"%d\n%b%b" % (len(program), program, zlib.compress(document.encode())), marker


def parse_step(line: str, marker: str) -> Document | None:
    """The step that a line of the output tells while the program runs, or None.

    {"begun": result}, {"done": result}, {"note": text}, {"bytes": number} of a fetch, or an empty one, which only finds out
    whether anybody listens.
    """
    text = line.removeprefix(f"{marker} ")
    try:
        found = json.loads(text) if text != line else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def parse_answer(output: str, marker: str) -> Document:
    """Find the program's answer in the output of the machine; NoAnswer if there is none."""
    _, found, rest = output.rpartition(f"\n{marker}\n")
    try:
        document = json.loads(rest) if found else None
    except ValueError as error:
        raise NoAnswer(str(error)) from error
    if not isinstance(document, dict):
        raise NoAnswer("no answer")
    return document
