"""Plays recorded Pipelines on a server and says how its answers differ from those of a real Jenkins 2.568.2.

`pipelines.json` has for each case the script, the parameters of its builds, and what Jenkins answered: result, stages of
wfapi and console. The console is compared without stack frames and without what differs from run to run (`clean`).

    python -m tests.contract.recorded.player http://127.0.0.1:8080 admin PASSWORD [--half declarative] [PART OF A NAME ...]
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests

CASES = Path(__file__).with_name("pipelines.json")
REFUSAL = "not known to the emulator"  # the words of the emulator for what it lacks
AT_A_TIME = 6
SECONDS = 300  # on a busy machine
XML = (
    '<flow-definition plugin="workflow-job"><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"'
    ' plugin="workflow-cps"><script>{script}</script><sandbox>true</sandbox></definition></flow-definition>'
)
FRAME = re.compile(r"\s+at .*\)$|\s+\.\.\. \d+ more|\s+at .*Script")
VOLATILE = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
    (r"@[0-9a-f]{6,8}\b", "@HASH"),
    (r"@tmp/secretFiles/[^/ ]+/", "@tmp/secretFiles/X/"),
    (r"secretFiles/[^/ ]+/", "secretFiles/X/"),
    (r"(durable-)[0-9a-f]{8}", r"\1X"),
    (r"script\.sh(\.copy)?: (\d+|line \d+):", "script.sh: N:"),
    (r"among steps \[.*", "among steps [..."),
    (r"Queue item \d+|#\d{3,}", "ITEM"),
    (r"Script\d+\.groovy", "ScriptN.groovy"),
]

Build = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A played case: the differences, each with its kind, and whether the emulator said that it lacks something."""

    name: str
    differences: list[tuple[str, Any, Any]]
    is_refused: bool

    @property
    def has_other_result(self) -> bool:
        """Whether a build ended otherwise than on Jenkins, and the emulator did not say why."""
        kinds = ("result", "trigger", "builds")
        return not self.is_refused and any(kind.endswith(kinds) for kind, _, _ in self.differences)

    def describe(self) -> str:
        """One line for each difference."""
        lines = [f"{self.name}: {kind}\n    real {wanted}\n    here {got}" for kind, wanted, got in self.differences]
        return "\n".join(lines)


def read_cases(half: str = "", parts: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """The recorded cases: of one half (declarative or scripted) or both, those with one of the parts in their name."""
    cases: dict[str, dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))
    wanted = list(parts)
    return {
        name: case
        for name, case in cases.items()
        if half in ("", half_of(case)) and (not wanted or any(part in name for part in wanted))
    }


def half_of(case: dict[str, Any]) -> str:
    """Whether a case is a declarative or a scripted Pipeline."""
    return "declarative" if case["script"].lstrip().startswith("pipeline") else "scripted"


class Player:
    """Plays cases on one server."""

    def __init__(self, url: str, user: str, password: str, tools: str = "TOOLS") -> None:
        self._url, self._login, self._tools = url.rstrip("/"), (user, password), tools
        self._local, self._alone = threading.local(), threading.Lock()
        self._home = self._find_home()

    def play(self, cases: dict[str, dict[str, Any]]) -> Iterator[Outcome]:
        """Play the cases, several at once; in the order of the cases."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            yield from pool.map(self._judge, cases.keys(), cases.values())

    def _judge(self, name: str, case: dict[str, Any]) -> Outcome:
        # Cases with jobs of their own share the names of these.
        if "jobs" in case:
            with self._alone:
                builds = self._run(name, case)
        else:
            builds = self._run(name, case)
        is_refused = any(REFUSAL in line for build in builds for line in build.get("lines", []))
        return Outcome(name, list(find_differences(case["real"], builds)), is_refused)

    @property
    def _web(self) -> requests.Session:
        if not hasattr(self._local, "web"):
            web = self._local.web = requests.Session()
            web.auth = self._login
            crumb = web.get(f"{self._url}/crumbIssuer/api/json").json()
            web.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        session: requests.Session = self._local.web
        return session

    def _create(self, name: str, xml: str) -> None:
        if self._web.get(f"{self._url}/job/{name}/api/json").status_code == 200:
            self._web.post(f"{self._url}/job/{name}/doDelete", allow_redirects=False)
        headers = {"Content-Type": "application/xml"}
        answer = self._web.post(f"{self._url}/createItem", params={"name": name}, data=xml.encode(), headers=headers)
        assert answer.status_code == 200, answer.text[:500]

    def _find_home(self) -> str:
        self._create("player-home", XML.format(script='node { echo "home=${env.JENKINS_HOME}" }'))
        self._web.post(f"{self._url}/job/player-home/build")
        self._wait("player-home", 1, {})
        found = re.search(r"home=(\S+)", self._console("player-home", 1))
        assert found, self._console("player-home", 1)
        return found[1]

    def _console(self, job: str, number: int) -> str:
        return self._web.get(f"{self._url}/job/{job}/{number}/consoleText").text

    def _run(self, name: str, case: dict[str, Any]) -> list[Build]:
        job = f"c-{name}"
        for other, xml in case.get("jobs", {}).items():
            self._create(other, xml)
        self._create(job, XML.format(script=escape(case["script"].replace("TOOLS", self._tools))))
        builds: list[Build] = []
        number = 1
        for values in case.get("params", [None]):
            path = "buildWithParameters" if values or (number > 1 and self._has_parameters(job)) else "build"
            answer = self._web.post(f"{self._url}/job/{job}/{path}", data=values or {}, allow_redirects=False)
            if answer.status_code != 201:
                builds.append({"trigger": answer.status_code, "error": answer.headers.get("X-Error", "")})
                continue
            builds.append(self._read(job, number, case, self._wait(job, number, case)))
            number += 1
        return builds

    def _has_parameters(self, job: str) -> bool:
        return '"parameterDefinitions"' in self._web.get(f"{self._url}/job/{job}/api/json").text

    def _wait(self, job: str, number: int, case: dict[str, Any]) -> str:
        """Wait for the end of a build; answer its question or stop it where the case says so. Its result."""
        begin, path, is_done = time.monotonic(), f"{self._url}/job/{job}/{number}", False
        while time.monotonic() - begin < SECONDS:
            time.sleep(0.1)
            answer = self._web.get(f"{path}/api/json")
            if answer.status_code != 200:
                continue
            info = answer.json()
            if not info["building"] and info.get("result") and not info.get("inProgress"):
                return str(info["result"])
            if case.get("answer") and not is_done:
                question, verb, form = case["answer"]
                data = {"json": form} if form else None
                reply = self._web.post(f"{path}/input/{question}/{verb}", data=data, allow_redirects=False)
                is_done = reply.status_code in (200, 302)
            if case.get("stop") and not is_done and self._is_idle(job, number):
                self._web.post(f"{path}/stop", allow_redirects=False)
                is_done = True
        self._web.post(f"{path}/stop", allow_redirects=False)
        return "TIMEOUT"

    def _is_idle(self, job: str, number: int) -> bool:
        """Whether a build has begun and writes nothing: it is in the step in which it is to be stopped."""
        before = self._console(job, number)
        time.sleep(3)
        return "[Pipeline] {" in before and self._console(job, number) == before

    def _read(self, job: str, number: int, case: dict[str, Any], result: str) -> Build:
        end = time.monotonic() + 2
        while "\nFinished: " not in (log := self._console(job, number)) and time.monotonic() < end:
            time.sleep(0.1)
        answer = self._web.get(f"{self._url}/job/{job}/{number}/wfapi/describe")
        stages = [[entry["name"], entry["status"]] for entry in answer.json()["stages"]] if answer.ok else []
        lines = list(self._clean(log.replace(job, "more-case").rstrip("\n")))
        if case.get("unordered"):
            lines, stages = sorted(lines), sorted(stages)
        return {"result": result, "lines": lines, "stages": stages}

    def _clean(self, log: str) -> Iterator[str]:
        for line in log.replace("\r", "").split("\n"):
            if FRAME.match(line):
                continue
            line = line.replace(self._home, "HOME").replace(self._url, "URL").replace(self._tools, "TOOLS")
            for pattern, word in VOLATILE:
                line = re.sub(pattern, word, line)
            if "workspace" in line:
                line = re.sub(r"@\d+(?=$|[ /'])", "@N", line)
            yield line.rstrip()


def find_differences(wanted: list[Build], got: list[Build]) -> Iterator[tuple[str, Any, Any]]:
    """The differences of the builds of a case: each with its kind, and both values."""
    if len(wanted) != len(got):
        yield "builds", len(wanted), len(got)
        return
    for number, (real, here) in enumerate(zip(wanted, got, strict=True), 1):
        for kind in ("trigger", "result", "stages"):
            if real.get(kind) != here.get(kind):
                yield f"#{number} {kind}", real.get(kind), here.get(kind)
        yield from _find_different_lines(number, real.get("lines", []), here.get("lines", []))


def _find_different_lines(number: int, real: list[str], here: list[str]) -> Iterator[tuple[str, Any, Any]]:
    for kind, is_mark in (("text", False), ("marks", True)):
        first = [line for line in real if line.startswith("[Pipeline]") == is_mark and not line.startswith("Also:   ")]
        second = [line for line in here if line.startswith("[Pipeline]") == is_mark and not line.startswith("Also:   ")]
        if sorted(first) != sorted(second):
            yield (
                f"#{number} {kind}",
                [it for it in first if it not in second],
                [it for it in second if it not in first],
            )
        elif first != second:
            yield f"#{number} order of {kind}", first, second


def main() -> None:
    """Print the outcome of each case, and the sums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("url")
    parser.add_argument("user")
    parser.add_argument("password")
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--half", choices=["declarative", "scripted"], default="")
    parser.add_argument("--tools", default="TOOLS", help="the folder of the tools in the settings")
    given = parser.parse_intermixed_args()
    outcomes = []
    for outcome in Player(given.url, given.user, given.password, given.tools).play(read_cases(given.half, given.parts)):
        outcomes.append(outcome)
        print(outcome.describe() or f"{outcome.name}: identical", flush=True)
    identical = sum(not outcome.differences for outcome in outcomes)
    refused = sum(outcome.is_refused for outcome in outcomes)
    others = [outcome.name for outcome in outcomes if outcome.has_other_result]
    print(f"{identical} of {len(outcomes)} identical, {refused} refused, {len(others)} with another result: {others}")


if __name__ == "__main__":
    main()
