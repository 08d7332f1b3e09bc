"""Getting files: one quick probe, and downloads that are resumed, checked and then kept by their SHA-256.

urllib is used because it trusts the certificates that the machine trusts, and with them a company's own authority.
"""

from __future__ import annotations

import hashlib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.errors import DistributionFailed

PROBE_SECONDS = 3.0  # for each of connecting and answering
READ_SECONDS = 60.0  # without a byte, before a download counts as broken
_ATTEMPTS = 4
_BLOCK = 1 << 20
_USER_AGENT = {"User-Agent": "jenkins-bootstrap"}


class Unobtainable(Exception):
    """A source does not answer, or does not answer as one; the text says what came back."""


def within(seconds: float, function: Callable[[], Any]) -> Any:
    """What `function` returns; Unobtainable after `seconds`, for a name server's silence obeys no socket's time-out."""
    outcome: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            outcome.append((True, function()))
        except Exception as error:
            outcome.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise Unobtainable(f"no answer within {seconds:g} s")
    is_good, value = outcome[0]
    if is_good:
        return value
    raise value


def fetch(url: str, timeout: float = READ_SECONDS) -> bytes:
    """A small file's content, or Unobtainable."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=_USER_AGENT), timeout=timeout) as answer:
            return bytes(answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise Unobtainable(f"{url}: {_reason(error)}") from error


def answers(url: str) -> None:
    """Return once `url` answers with success, without reading it; Unobtainable otherwise, after a few seconds at most."""

    def ask() -> None:
        request = urllib.request.Request(url, headers=_USER_AGENT)
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
        except (OSError, http.client.HTTPException) as error:
            raise Unobtainable(f"{url}: {_reason(error)}") from error

    within(2 * PROBE_SECONDS, ask)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached(cache: Path, name: str, sha256: str) -> Path | None:
    """The file of that sum in the cache, read again to be sure of it; a spoilt one is removed."""
    path = cache / sha256 / name
    if not path.is_file():
        return None
    if sha256_of(path) == sha256:
        return path
    path.unlink()
    return None


def download(url: str, cache: Path, name: str, sha256: str) -> Path:
    """The file at `url`, which must have that sum: from the cache, or loaded, an earlier part of it taken up again."""
    found = cached(cache, name, sha256)
    if found is not None:
        return found
    target = cache / sha256 / name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(name + ".part")
    was_resumed = part.exists()
    _complete(url, part)
    got = sha256_of(part)
    if got != sha256 and was_resumed:  # the earlier part may have been another file's
        part.unlink()
        _complete(url, part)
        got = sha256_of(part)
    if got != sha256:
        part.unlink()
        raise DistributionFailed(
            f"downloading {name} from {url}",
            f"its SHA-256 is {got}, not {sha256}",
            "The file was deleted. Try again; if the error stays, the source has another file than the locked one.",
        )
    part.replace(target)
    return target


def _complete(url: str, part: Path) -> None:
    """Load until the part is as long as the server says the file is; a few broken connections are taken up again."""
    reason = ""
    for _ in range(_ATTEMPTS):
        try:
            _continue(url, part)
            return
        except (OSError, http.client.HTTPException) as error:
            reason = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 416:
                break
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                part.unlink(missing_ok=True)
    raise DistributionFailed(
        f"loading {part.name.removesuffix('.part')} from {url}",
        reason,
        "The downloaded part is kept; the next launch continues from there.",
    )


def _continue(url: str, part: Path) -> None:
    begun = part.stat().st_size if part.exists() else 0
    headers = _USER_AGENT | ({"Range": f"bytes={begun}-"} if begun else {})
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=READ_SECONDS) as answer:
        is_rest = answer.status == 206
        length = answer.headers.get("Content-Length")
        got = 0
        with part.open("ab" if is_rest else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                got += len(block)
    if length is not None and got != int(length):
        raise http.client.IncompleteRead(b"", int(length) - got)


def _reason(error: Exception) -> str:
    match error:
        case urllib.error.HTTPError():
            return f"HTTP {error.code} {error.reason}"
        case urllib.error.URLError():
            return str(error.reason)
        case http.client.IncompleteRead():
            return f"the connection broke {error.expected} bytes before the end"
        case _:
            return str(error) or type(error).__name__
