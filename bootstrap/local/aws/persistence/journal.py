"""The journal: one JSON line per mutating request or event, on disk before the answer leaves.

Lines are synced one by one (about 1 ms each). A line cut short by a kill is the last one and its request was never
answered: it is dropped. The file is for its owner alone (0600 in a 0700 directory), since requests carry secrets.

It is never compacted: later ids are drawn from seeds that belong to earlier requests, and a replay is cheap enough. Measured
with moto 5.2.5 (stacks of fourteen types updated again and again): a start takes 3.0 s of processor time where the journal is
almost empty, for nine services are loaded, and 1.0 s more for each 1,000 records; a record has 1,250 bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bootstrap.errors import LocalCloudFailed

Record = dict[str, Any]

PATIENCE_SECONDS = 10.0


class Journal:
    """Append-only records under `path`; `records` reads what earlier processes wrote."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._claim()
        self._drop_torn_line()

    def records(self) -> Iterator[Record]:
        """Every record in the order in which it was written."""
        with self._path.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def append(self, record: Record) -> None:
        """Write one record; when this returns, it survives a crash of the machine."""
        os.write(self._file, json.dumps(record, separators=(",", ":")).encode() + b"\n")
        os.fdatasync(self._file)

    def is_there(self) -> bool:
        """Whether the file still has a name; it has none once its directory was removed."""
        return os.fstat(self._file).st_nlink > 0

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def _claim(self) -> None:
        """Two processes would write two histories into one file: wait for the one before to end, then give up."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LocalCloudFailed(
                        f"opening {self._path}",
                        "another process uses it",
                        "End that server, or wait until it has ended.",
                    ) from None
            time.sleep(0.05)

    def _drop_torn_line(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("r+b") as content:
            whole = content.read()
            if whole and not whole.endswith(b"\n"):
                content.truncate(whole.rfind(b"\n") + 1)
