"""A build's console log: appended to the build's `log` file, secrets replaced by four stars, optionally with times."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ..model import console_notes

STARS = "****"
MUTED: ContextVar[bool] = ContextVar("muted", default=False)
"""Set in a task whose lines are in the log already."""


def _list_spellings(secrets: Iterable[str]) -> set[str]:
    """The texts that show a secret: itself, its lines, as a shell quotes it, and in base64, wherever it begins there."""
    texts: set[str] = set()
    for secret in secrets:
        texts.update(part for part in (secret, *secret.splitlines()) if len(part.strip()) > 2)
        # `sh -x` shows a word that the shell must quote with its quotes.
        if "'" in secret:
            texts.add(secret.replace("'", "'\\''"))
        for shift in range(3 if len(secret) > 2 else 0):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                encoded = encode(b"a" * shift + secret.encode()).decode()[2 * shift :]
                texts.update((encoded, encoded.rstrip("=")))
    return texts


class Console:
    """The writer of one log. Whole lines are masked, so a secret that arrives in two pieces is still found."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("ab", buffering=0)
        self._secrets: list[str] = []
        self._passing: Counter[str] = Counter()
        self._pending = ""
        self.last_output = time.monotonic()
        self.has_times = False
        self.is_silent = False
        self.copies: list[list[str]] = []

    def hide(self, secrets: Iterable[str]) -> None:
        """Mask these secrets from now on; the longest first, and each line of a secret of several lines."""
        self._passing.update(_list_spellings(secrets))
        self._sort()

    @contextmanager
    def hide_within(self, secrets: Iterable[str]) -> Iterator[None]:
        """Mask these secrets while the context is open."""
        added = Counter(_list_spellings(secrets))
        self._passing.update(added)
        self._sort()
        try:
            yield
        finally:
            self.flush()
            self._passing.subtract(added)
            self._sort()

    def _sort(self) -> None:
        self._secrets = sorted((text for text, count in self._passing.items() if count > 0), key=len, reverse=True)

    def mask(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, STARS)
        return text

    def write(self, text: str) -> None:
        """Append text that may end within a line."""
        if self.is_silent or MUTED.get():
            return
        self.last_output = time.monotonic()
        self._pending += text
        whole, newline, self._pending = self._pending.rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                self._append(line)

    def write_line(self, text: str = "") -> None:
        """Append whole lines."""
        self.flush()
        self.write(text + "\n")

    def write_annotated(self, text: str, kind: str, at: int = 0) -> None:
        """Append a whole line with a console note before its letter `at`."""
        self.flush()
        if not (self.is_silent or MUTED.get()):
            self._append(text, console_notes.make_note(kind), at)

    def flush(self) -> None:
        """End an incomplete line."""
        if self._pending:
            self.write("\n")

    def _append(self, line: str, note: bytes = b"", at: int = 0) -> None:
        moment = time.time()
        prefix = (
            time.strftime("[%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z] "
            if self.has_times and not note
            else ""
        )
        if not note:
            for copy in self.copies:
                copy.append(self.mask(line) + "\n")
        before, after = (self.mask(part).encode("utf-8", "replace") for part in (line[:at], line[at:]))
        self._stream.write(prefix.encode() + before + note + after + b"\n")

    def close(self) -> None:
        """Close the log."""
        self.flush()
        self._stream.close()
