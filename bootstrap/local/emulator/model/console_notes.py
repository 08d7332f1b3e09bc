"""Makes and removes console notes: what Jenkins stores within a log for browsers, such as links and marks of Pipeline lines.

A note is ESC [8mha:, the base64 of a signature and of a compressed Java object, each after its length, and ESC [0m. The length
of the signature is negative, which distinguishes signed notes from those of an older Jenkins. The progressive text has notes,
the whole console text has none.
"""

from __future__ import annotations

import base64
import gzip
import re
import secrets
import struct
from functools import cache

PIPELINE = "org.jenkinsci.plugins.workflow.job.console.NewNodeConsoleNote"
LINK = "hudson.console.ModelHyperlinkNote"
_START, _END = b"\x1b[8mha:", b"\x1b[0m"
_NOTE = re.compile(rb"\x1b\[8mha:[A-Za-z0-9+/=]*\x1b\[0m")
_STREAM = b"\xac\xed\x00\x05sr"  # how Java's serialisation of an object begins


@cache
def make_note(kind: str) -> bytes:
    """Make a note of a Java class. No program here verifies it, so the signature is random, one per process."""
    name = kind.encode()
    packed = gzip.compress(_STREAM + struct.pack(">H", len(name)) + name + bytes(8), mtime=0)
    signature = secrets.token_bytes(32)
    preamble = struct.pack(">i", -len(signature)) + signature + struct.pack(">i", len(packed)) + packed
    return _START + base64.b64encode(preamble) + _END


def remove_notes(log: bytes) -> bytes:
    """Remove all notes from a log."""
    return _NOTE.sub(b"", log)
