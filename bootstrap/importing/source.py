"""The Jenkins that is imported: GET requests, and the one POST that exports the settings.

The user's API token goes to this one host alone: a redirect to another one is refused, and so is plain HTTP, except on this
machine. An answer has a greatest size, and must arrive in a bounded time.
"""

from __future__ import annotations

import ipaddress
import json
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from bootstrap.errors import ImportFailed, Unreachable, UsageError
from bootstrap.jenkins.controller import pages
from bootstrap.jenkins.controller.console_text import clean_line
from bootstrap.values import Secret

LARGEST = 16 << 20  # bytes of one answer
MOST = 512 << 20  # bytes of all answers
SLOWEST = 120.0  # seconds for one answer
_TIMEOUTS = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer
_REDIRECTS = 5
PAUSES = (0.2, 1.0)  # seconds before a GET is repeated
FAILURES = 5  # requests without an answer, one after the other: then the Jenkins is gone
_NO_ANSWER = frozenset({502, 503, 504})  # a proxy, or a Jenkins that starts
_EXPORT = "configuration-as-code/export"


@dataclass(frozen=True)
class Answer:
    """What the Jenkins answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def refusal(self) -> str:
        """Status and reason of an answer that is no success, in one line."""
        text = self.body[:65536].decode("utf-8", "replace")
        reason = clean_line(self.headers.get("X-Error") or pages.find_message(text) or "")[:200]
        return f"Jenkins answered {self.status}{f': {reason}' if reason else ''}"


class _Session(requests.Session):
    """A session that looks at no redirect: requests would read the body of one without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class Source:
    """One Jenkins, read by one user."""

    def __init__(
        self, url: str, user: str, token: Secret, *, ca_file: Path | None = None, allows_http: bool = False
    ) -> None:
        """UsageError if the URL or the file of the certificate authority cannot be used."""
        self.url = _check_url(url, allows_http=allows_http)
        if ca_file is not None and not ca_file.is_file():
            raise UsageError("reading --ca-file", f"there is no file {ca_file}", "Name a file with PEM certificates.")
        self._verify: bool | str = str(ca_file) if ca_file is not None else True
        self._session = _Session()
        self._session.auth = HTTPBasicAuth(user.encode(), token.reveal().encode())
        self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": "jenkins-bootstrap"})
        # A proxy that is set in the environment would get what is meant for this machine alone.
        self._session.trust_env = not _is_loopback(urlsplit(self.url).hostname or "")
        self._received = 0
        self._has_answered = False
        self._failures = 0

    def get(self, path: str, tree: str = "") -> Answer:
        """The answer to a GET of `path`, relative to the URL; `tree` selects the fields of an API."""
        return self._ask("GET", path, {"tree": tree} if tree else {})

    def get_json(self, path: str, tree: str) -> Any:
        """The JSON of an API; ImportFailed for any other answer."""
        answer = self.get(path, tree)
        if answer.status != 200:
            raise self._make_failure(path, answer.refusal, _advise(answer.status))
        try:
            return json.loads(answer.body.decode())
        except (ValueError, RecursionError) as error:
            raise self._make_failure(path, f"the answer is not JSON: {clean_line(str(error))[:200]}") from error

    def export_settings(self) -> Answer:
        """The answer to Configuration as Code's export, which Jenkins gives to a POST alone; it changes nothing."""
        return self._ask("POST", _EXPORT, {})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(self, method: str, path: str, params: Mapping[str, str]) -> Answer:
        """The answer; a GET is repeated once the Jenkins has answered before.

        Then a request without an answer is an ImportFailed, and one thing is missing; after several of them in a row it is
        Unreachable.
        """
        started = time.monotonic()
        for pause in (*(PAUSES if method == "GET" and self._has_answered else ()), None):
            failure: Unreachable | None = None
            try:
                answer = self._ask_once(method, path, params)
            except Unreachable as error:
                failure = error
            else:
                if answer.status not in _NO_ANSWER:
                    self._failures, self._has_answered = 0, True
                    return answer
                failure = Unreachable(f"reading {self.url}{path}", answer.refusal, "Check whether it runs.")
            if pause is None or time.monotonic() - started > _TIMEOUTS[1]:
                break
            time.sleep(pause)
        assert failure is not None
        self._failures += 1
        if not self._has_answered or self._failures >= FAILURES:
            raise failure
        raise ImportFailed(failure.doing, failure.found, failure.remedy) from failure

    def _ask_once(self, method: str, path: str, params: Mapping[str, str]) -> Answer:
        url, left = self.url + path, _REDIRECTS
        while True:
            try:
                answer = self._send(method, url, params)
            except requests.exceptions.SSLError as error:
                remedy = "Name the authority of its certificate: --ca-file FILE."
                raise Unreachable(f"reading {url}", _explain(error), remedy) from error
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise Unreachable(f"reading {url}", _explain(error), "Check the URL, and whether it runs.") from error
            if answer.status not in {301, 302, 303, 307, 308}:
                return answer
            location = answer.headers.get("Location", "")
            target = _resolve(url, location)
            if method != "GET" or not left or _read_origin(target) != _read_origin(self.url):
                where = clean_line(target or location)[:200]
                found = f"it redirects to {where}, and a redirect to another host is not followed"
                raise self._make_failure(path, found, "Give the URL at which this Jenkins itself answers.")
            url, params, left = target, {}, left - 1

    def _send(self, method: str, url: str, params: Mapping[str, str]) -> Answer:
        """The answer within a bounded time; the HTTP client itself bounds only the time between two pieces, of headers, too."""
        answers: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

        def receive() -> None:
            try:
                answers.put(self._receive(method, url, params))
            except Exception as error:  # raised again by who waits
                answers.put(error)

        threading.Thread(target=receive, daemon=True).start()
        try:
            answer = answers.get(timeout=SLOWEST)
        except queue.Empty:
            raise self._make_slowness(url) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _receive(self, method: str, url: str, params: Mapping[str, str]) -> Answer:
        ends_at = time.monotonic() + SLOWEST
        # `verify` is passed here, because a variable of the environment would replace that of the session.
        with self._session.request(
            method, url, params=params, stream=True, allow_redirects=False, timeout=_TIMEOUTS, verify=self._verify
        ) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise self._make_failure(url, "the answer is compressed, which was not asked for")
            pieces, size = [], 0
            # Unlike `iter_content`, this returns what has arrived, so that an answer that drips is noticed.
            while piece := response.raw.read1(1 << 16):
                size += len(piece)
                if size > LARGEST or self._received + size > MOST:
                    raise self._make_failure(
                        url, f"the answers are larger than {LARGEST} bytes each, or {MOST} together"
                    )
                if time.monotonic() > ends_at:
                    raise self._make_slowness(url)
                pieces.append(piece)
            self._received += size
            return Answer(response.status_code, response.headers, b"".join(pieces))

    def _make_slowness(self, url: str) -> Unreachable:
        found = f"the answer was not complete after {SLOWEST:.0f} s"
        return Unreachable(f"reading {url}", found, "Check that the URL is that of a Jenkins, and its load.")

    def _make_failure(
        self, path: str, found: str, remedy: str = "Check that the URL is that of a Jenkins."
    ) -> ImportFailed:
        return ImportFailed(f"reading {path if path.startswith(self.url) else self.url + path}", found, remedy)


def _check_url(url: str, *, allows_http: bool) -> str:
    """The URL, ending in '/'."""
    doing = "reading the URL of the Jenkins to import"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(doing, str(error), "Write it as https://HOST/.") from error
    if "@" in parts.netloc:
        remedy = "Leave it out: the command asks for it, or reads it from standard input or the environment."
        raise UsageError(doing, "it contains a user or a password, which other users of this machine can read", remedy)
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or not url.isprintable():
        raise UsageError(
            doing, "it is not the URL of a Jenkins", "Write it as https://HOST/, with the path that it has."
        )
    if parts.scheme == "http" and not allows_http and not _is_loopback(host):
        found = "with http, everybody on the way can read the API token"
        raise UsageError(doing, found, "Use https, or add --allow-http if the way to this host is safe.")
    return url if url.endswith("/") else f"{url}/"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _resolve(url: str, location: str) -> str:
    """Where a redirect leads; empty if it cannot be read, or if two parsers read it differently."""
    # The parser of this module and that of the HTTP client take another host from 'https://other\@this/'.
    if "\\" in location or any(letter <= " " or letter == "\x7f" for letter in location):
        return ""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def _read_origin(url: str) -> tuple[str | None, str | None, int | None]:
    """Scheme, host and port as the HTTP client reads them, which decides where the token goes."""
    try:
        parts = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return None, None, None
    return parts.scheme, parts.host, parts.port or {"http": 80, "https": 443}.get(parts.scheme or "")


def _explain(error: Exception) -> str:
    """The innermost cause of a failed request, which says most."""
    reason = getattr(error.args[0] if error.args else None, "reason", None) or error
    return clean_line(str(reason))[:300] or type(error).__name__


def _advise(status: int) -> str:
    if status == 401:
        return "Check the user and the API token; a password does not always do."
    if status == 403:
        return "Use an API token of an administrator: the API of plugins and the settings need Overall/Administer."
    return "Check that the URL is that of a Jenkins, with its path."
