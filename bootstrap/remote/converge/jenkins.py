"""The Jenkins on this machine, by its API on the loopback: which builds run, quiet mode, and its agents.

Its answers are not trusted: their size is limited, and names keep printable characters only.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from bootstrap.remote.converge.core import Context

_SECONDS = 30.0
_BLOCK = 2.0  # seconds that Jenkins may wait until it is ready for a restart
_MOST = 4 << 20  # bytes of one answer
_TREE = "computer[executors[currentExecutable[_class,url]],oneOffExecutors[currentExecutable[_class,url]]]"
_REASON = "A change of this machine needs a restart."
# A Pipeline runs on a flyweight executor, its placeholder on a normal one; their classes distinguish both from other builds.
_OF_PIPELINES = ("$PlaceholderExecutable", ".WorkflowRun")


class NoAnswer(Exception):
    """Jenkins does not answer, or gives another answer than expected."""


@dataclass(frozen=True)
class Build:
    """A running build: the path of its URLs, and whether it can go on after a restart."""

    path: str
    is_resumable: bool

    @property
    def name(self) -> str:
        """The name for messages: 'folder/job #12'."""
        words = [unquote(word) for word in self.path.strip("/").split("/")]
        name = f"{'/'.join(words[1:-1:2])} #{words[-1]}"
        return "".join(character if character.isprintable() else "?" for character in name)[:100]


class Jenkins:
    """A client; `settings` has the `url`, the `user` and its `secrets`: files, each with the prefix of their content."""

    def __init__(self, context: Context, settings: Mapping[str, Any]) -> None:
        self._context, self._settings = context, settings
        address = urlsplit(str(settings["url"]))
        self._host, self._port = str(address.hostname), address.port or 80
        self._headers: dict[str, str] = {}

    def is_quiet(self) -> bool:
        """Whether quiet mode is on, whoever set it."""
        return bool(self._read_json("api/json?tree=quietingDown").get("quietingDown"))

    def set_quiet(self) -> None:
        """Set quiet mode: no build starts, and Pipelines pause before their next steps."""
        self._post("quietDown", {"message": _REASON})

    def is_ready(self) -> bool:
        """Whether Jenkins knows of nothing that cannot go on after a restart; this sets quiet mode, too."""
        begun = time.monotonic()
        self._post("quietDown", {"message": _REASON, "block": "true", "timeout": str(int(_BLOCK * 1000))})
        return time.monotonic() - begun < _BLOCK

    def cancel_quiet(self) -> None:
        """End quiet mode: builds start again."""
        self._post("cancelQuietDown", {})

    def builds(self) -> list[Build]:
        """Every running build on every node; a Pipeline once, however many executors it has."""
        builds: dict[str, Build] = {}
        for computer in _list_entries(self._read_json(f"computer/api/json?tree={quote(_TREE)}").get("computer")):
            for executor in [
                *_list_entries(computer.get("executors")),
                *_list_entries(computer.get("oneOffExecutors")),
            ]:
                executable = executor.get("currentExecutable")
                if isinstance(executable, dict) and (path := urlsplit(str(executable.get("url") or "")).path):
                    is_resumable = str(executable.get("_class", "")).endswith(_OF_PIPELINES)
                    builds.setdefault(path, Build(path, is_resumable))
        return list(builds.values())

    def description_of_agent(self, name: str) -> bytes | None:
        """Jenkins' description of how an agent connects; None if its settings have no such agent."""
        status, text = self._ask("GET", f"computer/{quote(name)}/jenkins-agent.jnlp", "")
        if status not in {http.client.OK, http.client.NOT_FOUND}:
            raise NoAnswer(f"Jenkins answered {status} to the description of its agent {name}")
        return text if status == http.client.OK else None

    def _read_json(self, path: str) -> dict[str, Any]:
        status, text = self._ask("GET", path, "")
        if status != http.client.OK:
            raise NoAnswer(f"Jenkins answered {status} to {path.partition('?')[0]}")
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NoAnswer(f"Jenkins' answer to {path.partition('?')[0]} is not a JSON object")
        return answer

    def _post(self, path: str, form: Mapping[str, str]) -> None:
        status, _ = self._ask("POST", path, urlencode(form))
        if status not in {http.client.OK, http.client.FOUND}:
            raise NoAnswer(f"Jenkins answered {status} to {path}")

    def _ask(self, method: str, path: str, body: str) -> tuple[int, bytes]:
        if not self._headers:
            self._headers = self._sign_in()
        return self._send(method, path, body, self._headers)[:2]

    def _sign_in(self) -> dict[str, str]:
        """The headers with the first secret that Jenkins accepts, and with the crumb: Jenkins may not know a new secret yet."""
        reason = "its user has no secret yet"
        for secret in self._settings["secrets"]:
            try:
                text = str(secret["prefix"]) + self._context.path(secret["path"]).read_text().strip()
            except OSError:
                continue
            credentials = base64.b64encode(f"{self._settings['user']}:{text}".encode()).decode()
            headers = {"Authorization": f"Basic {credentials}"}
            status, answer, cookie = self._send("GET", "crumbIssuer/api/json", "", headers)
            if status == http.client.OK:
                return {**headers, **_parse_crumb(answer), **({"Cookie": cookie} if cookie else {})}
            reason = f"Jenkins answered {status} to its user {self._settings['user']}"
        raise NoAnswer(reason)

    def _send(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Send a request; returns status, text and cookies. No redirect is followed."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        try:
            connection.request(method, f"/{path}", body or None, {**headers, **kind})
            answer = connection.getresponse()
            cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
            return answer.status, answer.read(_MOST), "; ".join(cookies)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"Jenkins does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()


def _parse_crumb(answer: bytes) -> dict[str, str]:
    try:
        found = json.loads(answer)
        return {str(found["crumbRequestField"]): str(found["crumb"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _list_entries(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
