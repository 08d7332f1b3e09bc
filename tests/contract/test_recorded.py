"""Sends 600 requests that a real Jenkins was sent, in the same order, and compares the answers with what it answered.

`recorded/objects.json.gz` asks for objects, trees, formats, rights and tokens; `recorded/changes.json.gz` goes on with items,
folders, views, nodes and credentials. Jenkins 2.568.2 with the locked plugins answered, on a new home with the settings below.
Each exchange has the request, the status, some headers, and the content if it is JSON, XML or a Python literal. `{crumb}`,
`{token}` and `{token_uuid}` stand for what the server gave during the play.

The floors are what the emulator reaches. What differs is printed: `pytest -rP` shows it also if the test passes.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from .servers import Emulator

pytestmark = pytest.mark.own_process

RECORDED = Path(__file__).parent / "recorded"
PLAYS = ("objects", "changes")
# Values that differ between two runs of the same Jenkins: sizes, moments and secrets.
VOLATILE_NUMBERS = re.compile(r"(timestamp|[Ss]ize|average|available\w+|total(PhysicalMemory|SwapSpace))$")
VOLATILE_TEXTS = re.compile(r"(crumb|tokenValue|tokenUuid|tokenName|secret|updated)$")
STATUS_FLOOR, CONTENT_FLOOR, LOCATION_FLOOR, WORDS_FLOOR = 96.0, 91.5, 100.0, 100.0


@dataclass(frozen=True)
class Exchange:
    """A recorded request with its answer, and what the emulator answered; host, port and home are replaced as recorded."""

    recorded: dict[str, Any]
    status: int
    headers: dict[str, str]
    content: str


class Player:
    """Sends the recorded requests to one server."""

    def __init__(self, server: Emulator) -> None:
        self._server = server
        self._sessions: dict[str, requests.Session] = {}
        self._given: dict[str, str] = {}
        self._given["crumb"] = str(self._open("admin").headers["Jenkins-Crumb"])

    def _open(self, user: str) -> requests.Session:
        """Open the session of a user, which has a crumb; that of nobody has none."""
        if user not in self._sessions:
            session = self._sessions[user] = requests.Session()
            if user != "anon":
                session.auth = (user, f"{user}-password")
                answer = session.get(f"{self._server.url}/crumbIssuer/api/json", timeout=30).json()
                session.headers[answer["crumbRequestField"]] = answer["crumb"]
        return self._sessions[user]

    def _fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._fill(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._fill(entry) for entry in value]
        return re.sub(r"\{(crumb|token|token_uuid)\}", lambda match: self._given[match[1]], value)

    def send(self, recorded: dict[str, Any]) -> Exchange:
        """Send one request."""
        request = {key: self._fill(recorded[key]) for key in ("path", "headers", "form", "login") if key in recorded}
        session = self._open(recorded["as"]) if "as" in recorded else requests.Session()
        headers: dict[str, Any] = request.get("headers", {})
        if recorded.get("crumb") is False:
            headers = {**headers, "Jenkins-Crumb": None}
        body = recorded.get("body")
        answer = session.request(
            recorded["method"],
            f"{self._server.url}/{request['path']}",
            params=recorded.get("query"),
            data=request.get("form") if body is None else body.encode(recorded.get("encoding", "utf-8")),
            headers=headers,
            auth=tuple(request["login"]) if "login" in request else None,
            allow_redirects=False,
            timeout=60,
        )
        if "token" not in self._given and "tokenValue" in answer.text:
            data = answer.json()["data"]
            self._given.update(token=data["tokenValue"], token_uuid=data["tokenUuid"])
        known = {name: self._hide(value) for name, value in answer.headers.items()}
        return Exchange(recorded, answer.status_code, known, self._hide(answer.content.decode("utf-8", "replace")))

    def _hide(self, text: str) -> str:
        own = self._server.url.removeprefix("http://")
        return (
            text.replace(own, "HOST").replace(own.replace(":", "%3A"), "HOST").replace(str(self._server.home), "HOME")
        )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Exchange]]:
    """What the emulator answered to all requests."""
    server = Emulator(tmp_path_factory.mktemp("recorded"))
    (server.casc / "20-credentials.yaml").unlink()
    (server.casc / "30-location.yaml").write_text(f'unclassified: {{location: {{url: "{server.url}/"}}}}')
    server.start()
    try:
        player = Player(server)
        yield [player.send(recorded) for play in PLAYS for recorded in read(play)]
    finally:
        server.stop()


def read(play: str) -> list[dict[str, Any]]:
    """Read the recorded exchanges of a play."""
    exchanges: list[dict[str, Any]] = json.loads(gzip.decompress((RECORDED / f"{play}.json.gz").read_bytes()))
    return exchanges


def list_leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the values of JSON with their paths; what is empty counts as a value."""
    if isinstance(value, dict | list) and value:
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from list_leaves(entry, f"{path}/{key}")
    else:
        yield path, value


def list_elements(node: ElementTree.Element, path: str) -> Iterator[tuple[str, Any]]:
    """List the texts and attributes of XML with their paths."""
    yield path, (node.text or "").strip()
    yield from ((f"{path}@{name}", value) for name, value in node.attrib.items())
    for place, child in enumerate(node):
        yield from list_elements(child, f"{path}/{place}:{child.tag.rpartition('}')[2]}")


def parse(content: str, kind: str) -> dict[str, Any]:
    """Parse a content into its values by their paths; a text that is no JSON and no XML is one value."""
    try:
        if "json" in kind:
            return dict(list_leaves(json.loads(content)))
        if "xml" in kind:
            without_head = re.sub(r"^<\?xml[^>]*\?>", "", content).strip()
            root = ElementTree.fromstring(without_head)
            return dict(list_elements(root, root.tag))
    except (ValueError, ElementTree.ParseError):
        pass
    return {"": content}


def is_volatile(path: str, real: Any, found: Any) -> bool:
    """Whether two values differ only because they were not measured at the same time."""
    name = re.sub(r"\d+:", "", path)
    if isinstance(real, int | float) and isinstance(found, int | float):
        return bool(VOLATILE_NUMBERS.search(name))
    return isinstance(real, str) and isinstance(found, str) and bool(VOLATILE_TEXTS.search(name))


def find_differences(exchange: Exchange) -> list[str]:
    """Find what differs in a content."""
    kind = exchange.recorded["answer"].get("Content-Type", "")
    real, found = parse(exchange.recorded["content"], kind), parse(exchange.content, kind)
    missing = object()
    return [
        f"{path or 'content'}: Jenkins {real.get(path, '(nothing)')!r:.80}, emulator {found.get(path, '(nothing)')!r:.80}"
        for path in {**real, **found}
        if (one := real.get(path, missing)) != (other := found.get(path, missing)) and not is_volatile(path, one, other)
    ]


def judge(title: str, problems: dict[str, list[str]], total: int, floor: float) -> None:
    """Print what differs, and compare the share of equal answers with the floor."""
    share = 100 * (total - len(problems)) / total
    for name, words in problems.items():
        print(name, *(f"    {word}" for word in words[:5]), sep="\n")
    print(f"{title}: {total - len(problems)} of {total} are the same, {share:.1f} %")
    assert share >= floor


def test_statuses(played: list[Exchange]) -> None:
    problems = {
        each.recorded["name"]: [f"Jenkins {each.recorded['status']}, emulator {each.status}"]
        for each in played
        if each.status != each.recorded["status"]
    }
    judge("statuses", problems, len(played), STATUS_FLOOR)


def test_contents(played: list[Exchange]) -> None:
    asked = [each for each in played if "content" in each.recorded]
    problems = {each.recorded["name"]: words for each in asked if (words := find_differences(each))}
    judge("contents", problems, len(asked), CONTENT_FLOOR)


def test_redirects(played: list[Exchange]) -> None:
    asked = [each for each in played if 300 <= each.status < 400]
    judge_header("redirects", "Location", asked, LOCATION_FLOOR)


def test_words_of_refusals(played: list[Exchange]) -> None:
    judge_header("words", "X-Error", played, WORDS_FLOOR)


def judge_header(title: str, header: str, played: list[Exchange], floor: float) -> None:
    """Judge one header, of the answers for which it was recorded."""
    asked = [each for each in played if header in each.recorded["answer"]]
    problems = {
        each.recorded["name"]: [f"Jenkins {each.recorded['answer'][header]!r}, emulator {each.headers.get(header)!r}"]
        for each in asked
        if each.recorded["answer"][header] != each.headers.get(header)
    }
    judge(title, problems, len(asked), floor)


def test_what_the_emulator_lacks_is_refused_in_its_own_name(played: list[Exchange]) -> None:
    refused = [each for each in played if each.status == 501]

    assert refused
    assert all("emulator" in each.content for each in refused if each.recorded["method"] != "HEAD")
