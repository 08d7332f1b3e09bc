"""Downloads artifacts from the sites that the toolkit names, where this machine has a way out to them.

A child process without rights downloads each file: before it opens the first connection, it becomes the user 'nobody' and keeps
nothing open but that file. It speaks HTTPS only, also after a redirection, except to the servers of the local cloud, which the
toolkit names. It trusts the certificates of this machine and those that the toolkit sent. A file gets its name when its SHA-256
is right. Until then it is a part, from which a later run continues.

What comes slowly is given up: the toolkit sends it instead.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401 -- Python loads it at the first connection, when the rights are gone
import hashlib
import http.client
import os
import signal
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from bootstrap.remote.converge.core import ARTIFACTS, Context, Report

AT_ONCE = 4
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_NOBODY = 65534
_ATTEMPTS = 4
_SECONDS = 10.0  # without a connection, or without a byte
_ANSWER_SECONDS = 20  # until the first byte of an answer, after all redirections
_LEAST_RATE = 200_000  # bytes in a second, of all downloads together over _RATE_SECONDS
_RATE_SECONDS = 60.0
_ALL_SECONDS = 1800.0  # for all files; what has not come by then is sent
_PAUSE = 0.1
_REPORT_EVERY = 1.0
_BLOCK = 1 << 16
_UNREACHABLE = "not reached: "


class Refused(Exception):
    """A download cannot be had; the text says why, and begins with `_UNREACHABLE` if no server answered."""


@dataclass
class _Download:
    """One file while its child process works: `part` is the open file, `reason` the pipe with the child's last words."""

    file: Mapping[str, Any]
    process: int
    part: int
    reason: int
    was_resumed: bool


def fetch(document: Mapping[str, Any], context: Context, report: Report) -> dict[str, Any]:
    """Download the files of the document ('sha256', 'url', 'size' each); the answer says which came, and why others did not.

    Files that do not come are no failure: the toolkit sends them.
    """
    folder = context.path(ARTIFACTS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    trust, notes = _make_trust(context, document["authorities"])
    pace = _Pace(time.monotonic())
    plain = frozenset(document["plain"])
    waiting, running = list(document["resources"]), list[_Download]()
    fetched: list[str] = []
    refused: dict[str, str] = {}
    reported, done = time.monotonic(), 0
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(_start(context, waiting.pop(0), trust, plain))
            time.sleep(_PAUSE)
            for download in [each for each in running if _has_ended(each)]:
                running.remove(download)
                problem = _finish(context, download)
                if problem is None:
                    fetched.append(download.file["sha256"])
                    done += int(download.file["size"])
                elif download.was_resumed and not problem.startswith(_UNREACHABLE) and _is_gone(context, download):
                    waiting.insert(0, download.file)  # the first part may have been of another file
                else:
                    refused[download.file["sha256"]] = problem
                if problem is not None and problem.startswith(_UNREACHABLE):
                    refused |= {file["sha256"]: problem for file in waiting}
                    waiting.clear()
            if time.monotonic() - reported >= _REPORT_EVERY:
                reported = time.monotonic()
                count = done + sum(os.fstat(each.part).st_size for each in running)
                report({"bytes": count})
                if reason := pace.judge(reported, count):
                    refused |= {file["sha256"]: reason for file in [*waiting, *(each.file for each in running)]}
                    break
    finally:
        for download in running:
            os.kill(download.process, signal.SIGKILL)
            os.waitpid(download.process, 0)
    return {"results": [], "missing": [], "notes": notes, "not_reached": [], "fetched": fetched, "refused": refused}


class _Pace:
    """Says when the downloads are too slow: `judge` gets the bytes that are there about once in a second."""

    def __init__(self, begun: float) -> None:
        self._begun = begun
        self._marks: list[tuple[float, int]] = []  # the times and bytes of the last _RATE_SECONDS

    def judge(self, now: float, count: int) -> str:
        """Why no download goes on; '' if all go on."""
        if now - self._begun >= _ALL_SECONDS:
            return f"not there after {_ALL_SECONDS:.0f} s"
        self._marks.append((now, count))
        while len(self._marks) > 1 and now - self._marks[1][0] >= _RATE_SECONDS:
            self._marks.pop(0)
        since, before = self._marks[0]
        if now - since < _RATE_SECONDS or count - before >= _LEAST_RATE * (now - since):
            return ""
        return f"slower than {_LEAST_RATE // 1000} kB/s over {_RATE_SECONDS:.0f} s"


def _make_trust(context: Context, authorities: Mapping[str, str]) -> tuple[ssl.SSLContext, list[str]]:
    """The authorities of this machine and the given ones, by their names; and a note for each that cannot be used."""
    bundle, notes = context.path(BUNDLE), []
    trust = ssl.create_default_context(cafile=str(bundle) if bundle.is_file() else None)
    for name, certificate in authorities.items():
        try:
            trust.load_verify_locations(cadata=certificate)
        except (ssl.SSLError, ValueError, TypeError) as error:  # TypeError: it is not ASCII
            notes.append(f"the certificate authority {name} cannot be read, and downloads do not trust it: {error}")
    return trust, notes


def _start(context: Context, file: Mapping[str, Any], trust: ssl.SSLContext, plain: Collection[str]) -> _Download:
    path = context.artifact(f"{file['sha256']}.part")
    part = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    was_resumed = os.fstat(part).st_size > 0
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return _Download(file, process, part, reading, was_resumed)
    code = 1
    try:
        _give_up_rights(part, writing)
        _complete(str(file["url"]), part, int(file["size"]), trust, plain)
        code = 0
    except Refused as refusal:
        os.write(writing, str(refusal).encode()[:500])
    except BaseException as error:
        os.write(writing, f"{type(error).__name__}: {error}".encode()[:500])
    finally:
        os._exit(code)


def _give_up_rights(*needed: int) -> None:
    """Keep only these open files, and become a user who owns nothing, if this is root: what a server sends is not trusted."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number > 2 and number not in needed:
            with contextlib.suppress(OSError):  # the listing itself
                os.close(number)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _has_ended(download: _Download) -> bool:
    process, _ = os.waitpid(download.process, os.WNOHANG)
    return process != 0


def _finish(context: Context, download: _Download) -> str | None:
    """Give a file that is right its name; otherwise the reason, and a part with wrong content is deleted."""
    with os.fdopen(download.reason, "rb") as pipe:
        problem = pipe.read().decode(errors="replace")
    path, digest = context.artifact(f"{download.file['sha256']}.part"), str(download.file["sha256"])
    with os.fdopen(download.part, "rb") as part:
        size = os.fstat(part.fileno()).st_size
        if problem or size < int(download.file["size"]):
            return problem or f"it ended after {size} of {download.file['size']} bytes"
        part.seek(0)
        actual = hashlib.file_digest(part, "sha256").hexdigest()
    if actual != digest:
        path.unlink()
        return f"its SHA-256 is {actual}, not {digest}"
    path.replace(context.artifact(digest))
    return None


def _is_gone(context: Context, download: _Download) -> bool:
    return not context.artifact(f"{download.file['sha256']}.part").exists()


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows redirections to HTTPS only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme != "https":
            raise Refused(f"it is redirected to {newurl.partition('?')[0]}, which is not HTTPS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _complete(url: str, part: int, size: int, trust: ssl.SSLContext, plain: Collection[str]) -> None:
    """Download until the part has its size; after a broken connection, continue a few times. Raises Refused."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.netloc in plain):
        raise Refused(f"{url.partition('?')[0]} is not HTTPS")
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _OnlyHttps())
    reason = ""
    for _ in range(_ATTEMPTS):
        if os.fstat(part).st_size > size:
            os.ftruncate(part, 0)
        try:
            _continue(opener, url, part, size)
            return
        except urllib.error.HTTPError as error:
            reason = f"HTTP {error.code}"  # the words can have the address of a redirection, with a token in it
            if error.code == 416:
                os.ftruncate(part, 0)
            elif error.code < 500:
                break
        except urllib.error.URLError as error:
            raise Refused(f"{_UNREACHABLE}{error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
    raise Refused(reason)


def _give_up(_number: int, _frame: object) -> None:
    raise Refused(f"{_UNREACHABLE}no answer within {_ANSWER_SECONDS} s")


def _continue(opener: urllib.request.OpenerDirector, url: str, part: int, size: int) -> None:
    begun = os.fstat(part).st_size
    if begun == size:
        return
    headers = {"User-Agent": "jenkins-bootstrap"} | ({"Range": f"bytes={begun}-"} if begun else {})
    # A name with many addresses, none of which answers, would take the time of each.
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(_ANSWER_SECONDS)
    with contextlib.closing(opener.open(urllib.request.Request(url, headers=headers), timeout=_SECONDS)) as answer:
        signal.alarm(0)
        is_rest = answer.status == 206 and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {begun}-")
        if begun and not is_rest:
            os.ftruncate(part, 0)
            begun = 0
        while begun < size and (block := answer.read(min(_BLOCK, size - begun))):
            os.write(part, block)
            begun += len(block)
    if begun < size:
        raise http.client.IncompleteRead(b"", size - begun)
