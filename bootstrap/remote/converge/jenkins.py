"""The Jenkins on this machine, by its API on the loopback: which builds run, quiet mode, and its agents.

What it answers is not trusted: answers are cut to a size, and names to what can be printed.
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
_BLOCK = 2.0  # so long Jenkins is asked to wait until it is ready for a restart
_MOST = 4 << 20  # bytes of one answer
_TREE = "computer[executors[currentExecutable[_class,url]],oneOffExecutors[currentExecutable[_class,url]]]"
_REASON = "A change of this machine needs a restart."
# On a Pipeline's executor sits its placeholder, and the Pipeline itself on none that counts; both are known by their classes.
_OF_PIPELINES = ("$PlaceholderExecutable", ".WorkflowRun")


class NoAnswer(Exception):
    """Jenkins does not answer, or not as asked."""


@dataclass(frozen=True)
class Build:
    """A build that runs: its path in every URL of it, and whether it can go on after a restart."""

    path: str
    is_resumable: bool

    @property
    def name(self) -> str:
        """As people know it: 'folder/job #12'."""
        words = [unquote(word) for word in self.path.strip("/").split("/")]
        name = f"{'/'.join(words[1:-1:2])} #{words[-1]}"
        return "".join(character if character.isprintable() else "?" for character in name)[:100]


class Jenkins:
    """`wish` has its `url`, the `user` and the user's `secrets`: files with what stands before their content."""

    def __init__(self, context: Context, wish: Mapping[str, Any]) -> None:
        self._context, self._wish = context, wish
        address = urlsplit(str(wish["url"]))
        self._host, self._port = str(address.hostname), address.port or 80
        self._headers: dict[str, str] = {}

    def is_quiet(self) -> bool:
        """Whether quiet mode is on, whoever asked for it."""
        return bool(self._json("api/json?tree=quietingDown").get("quietingDown"))

    def ask_for_quiet(self) -> None:
        """No build starts from now on, and Pipelines pause before their next steps."""
        self._post("quietDown", {"message": _REASON})

    def is_ready(self) -> bool:
        """Whether Jenkins itself knows of nothing that could not go on after a restart; asks for quiet as well."""
        begun = time.monotonic()
        self._post("quietDown", {"message": _REASON, "block": "true", "timeout": str(int(_BLOCK * 1000))})
        return time.monotonic() - begun < _BLOCK

    def cancel_quiet(self) -> None:
        """Builds start again."""
        self._post("cancelQuietDown", {})

    def builds(self) -> list[Build]:
        """Every build that runs, on whichever node; a Pipeline once, whatever it holds."""
        found: dict[str, Build] = {}
        for computer in _listed(self._json(f"computer/api/json?tree={quote(_TREE)}").get("computer")):
            for executor in [*_listed(computer.get("executors")), *_listed(computer.get("oneOffExecutors"))]:
                executable = executor.get("currentExecutable")
                if isinstance(executable, dict) and (path := urlsplit(str(executable.get("url") or "")).path):
                    is_resumable = str(executable.get("_class", "")).endswith(_OF_PIPELINES)
                    found.setdefault(path, Build(path, is_resumable))
        return list(found.values())

    def description_of_agent(self, name: str) -> bytes | None:
        """How an agent connects, as Jenkins describes it; None where its settings have no such agent."""
        status, text = self._ask("GET", f"computer/{quote(name)}/jenkins-agent.jnlp", "")
        if status not in {http.client.OK, http.client.NOT_FOUND}:
            raise NoAnswer(f"Jenkins answered {status} to the description of its agent {name}")
        return text if status == http.client.OK else None

    def _json(self, path: str) -> dict[str, Any]:
        status, text = self._ask("GET", path, "")
        if status != http.client.OK:
            raise NoAnswer(f"Jenkins answered {status} to {path.partition('?')[0]}")
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoAnswer(f"Jenkins' answer to {path.partition('?')[0]} is not a JSON object")
        return found

    def _post(self, path: str, form: Mapping[str, str]) -> None:
        status, _ = self._ask("POST", path, urlencode(form))
        if status not in {http.client.OK, http.client.FOUND}:
            raise NoAnswer(f"Jenkins answered {status} to {path}")

    def _ask(self, method: str, path: str, body: str) -> tuple[int, bytes]:
        if not self._headers:
            self._headers = self._sign_in()
        return self._send(method, path, body, self._headers)[:2]

    def _sign_in(self) -> dict[str, str]:
        """The first of the user's secrets that Jenkins takes, with the session's crumb: a new one may not be known yet."""
        said = "its user has no secret yet"
        for secret in self._wish["secrets"]:
            try:
                text = str(secret["prefix"]) + self._context.path(secret["path"]).read_text().strip()
            except OSError:
                continue
            given = base64.b64encode(f"{self._wish['user']}:{text}".encode()).decode()
            headers = {"Authorization": f"Basic {given}"}
            status, answer, cookie = self._send("GET", "crumbIssuer/api/json", "", headers)
            if status == http.client.OK:
                return {**headers, **_crumb(answer), **({"Cookie": cookie} if cookie else {})}
            said = f"Jenkins answered {status} to its user {self._wish['user']}"
        raise NoAnswer(said)

    def _send(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Status, text and cookies; no redirect is followed."""
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


def _crumb(answer: bytes) -> dict[str, str]:
    try:
        found = json.loads(answer)
        return {str(found["crumbRequestField"]): str(found["crumb"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _listed(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
