"""Downloads files: a quick probe, and downloads that are resumed, verified and cached by their SHA-256.

urllib is used because it trusts the certificates that this machine trusts, also those of a company's own authority.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import http.client
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import stream
from bootstrap.jenkins.distribution.stream import Limit

PROBE_SECONDS = 3.0  # for the connection, and again for the response
_ATTEMPTS = 4
_USER_AGENT = {"User-Agent": "jenkins-bootstrap"}


class Unobtainable(Exception):
    """A source does not answer, or answers with something else; the text says what."""


def run_within(seconds: float, function: Callable[[], Any]) -> Any:
    """Return what `function` returns; raises Unobtainable after `seconds`.

    The time-out of a socket does not include the time that a name server needs.
    """
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


def fetch(url: str, limit: Limit) -> bytes:
    """The content of a file, within the limit. Raises Unobtainable."""
    try:
        with stream.open_url(url, limit, _USER_AGENT) as answer:
            return b"".join(answer.blocks)
    except (OSError, http.client.HTTPException, stream.TooLarge) as error:
        raise Unobtainable(f"{url}: {_describe_error(error)}") from error


def read_file(path: Path, limit: Limit) -> bytes:
    """The content of a file of this machine, within the limit. Raises OSError."""
    with path.open("rb") as file:
        try:
            limit.check(os.fstat(file.fileno()).st_size)
            content = file.read(limit.most + 1)  # a device says that it has no size
            limit.check(len(content))
        except stream.TooLarge as error:
            raise OSError(errno.EFBIG, str(error)) from error
    return content


def probe(url: str) -> None:
    """Check that a request for `url` succeeds, without reading the content. Raises Unobtainable after a few seconds."""

    def send_request() -> None:
        request = urllib.request.Request(url, headers=_USER_AGENT)
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
        except (OSError, http.client.HTTPException) as error:
            raise Unobtainable(f"{url}: {_describe_error(error)}") from error

    run_within(2 * PROBE_SECONDS, send_request)


def compute_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_cached(cache: Path, name: str, sha256: str) -> Path | None:
    """The file with this checksum in the cache, or None. The file is read again; one with wrong content is deleted."""
    path = cache / sha256 / name
    if not path.is_file():
        return None
    if compute_sha256(path) == sha256:
        return path
    path.unlink(missing_ok=True)  # another command may have seen the same
    return None


def download(url: str, cache: Path, name: str, sha256: str) -> Path:
    """The file at `url` with this SHA-256, from the cache or downloaded; a partial download is resumed.

    While another command downloads the same file, this waits, and then takes it from the cache or continues its part.
    Raises DistributionFailed if the download fails, or if the file has another checksum.
    """
    cached = find_cached(cache, name, sha256)
    if cached is not None:
        return cached
    target = cache / sha256 / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with _hold(target.parent):
        return find_cached(cache, name, sha256) or _download(url, target, sha256)


@contextlib.contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Wait until no other process or thread works in this folder, and hold it; the kernel releases it after a kill."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _download(url: str, target: Path, sha256: str) -> Path:
    name = target.name
    part = target.with_name(name + ".part")
    was_resumed = part.exists()
    _complete(url, part)
    actual = compute_sha256(part)
    if actual != sha256 and was_resumed:  # the first part may be of another file
        part.unlink()
        _complete(url, part)
        actual = compute_sha256(part)
    if actual != sha256:
        part.unlink()
        raise DistributionFailed(
            f"downloading {name} from {url}",
            f"its SHA-256 is {actual}, not {sha256}",
            "The file was deleted. Try again; if the error stays, the source has another file than the locked one.",
        )
    part.replace(target)
    return target


def _complete(url: str, part: Path) -> None:
    """Download until the part has the length that the server reports; resume after a broken connection, a few times."""
    reason = ""
    doing = f"downloading {part.name.removesuffix('.part')} from {url}"
    end = time.monotonic() + stream.FILE.seconds
    for _ in range(_ATTEMPTS):
        try:
            _continue(url, part, end)
            return
        except stream.TooLarge as error:
            part.unlink(missing_ok=True)
            remedy = "What was downloaded is deleted. Name another source: this one sends something else than the locked file."
            raise DistributionFailed(doing, str(error), remedy) from error
        except (OSError, http.client.HTTPException) as error:
            reason = _describe_error(error)
            if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 416:
                break
            if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                part.unlink(missing_ok=True)
        if time.monotonic() >= end:
            break
    raise DistributionFailed(doing, reason, "The downloaded part is kept; the next launch continues from there.")


def _continue(url: str, part: Path, end: float) -> None:
    begun = part.stat().st_size if part.exists() else 0
    headers = _USER_AGENT | ({"Range": f"bytes={begun}-"} if begun else {})
    with (
        stream.open_url(url, stream.FILE, headers, begun, end) as answer,
        part.open("ab" if answer.is_rest else "wb") as file,
    ):
        for block in answer.blocks:
            file.write(block)


def _describe_error(error: Exception) -> str:
    match error:
        case urllib.error.HTTPError():
            return f"HTTP {error.code} {error.reason}"
        case urllib.error.URLError():
            return str(error.reason)
        case http.client.IncompleteRead():
            return f"the connection broke {error.expected} bytes before the end"
        case _:
            return str(error) or type(error).__name__
