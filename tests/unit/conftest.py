"""A Jenkins of few words for the acts that talk to one: the real python-jenkins client over an answering machine.

It refuses every request that it was not told to expect, and remembers those that came.
"""

import importlib.util
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qsl, urlsplit

import jenkins
import pytest
import requests
import urllib3
from hypothesis import HealthCheck, settings
from requests.adapters import BaseAdapter, HTTPAdapter

# With importlib as import mode, pytest puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))
from planted_library import shared_library

# A loaded machine is slow at everything; that says nothing of what is tested.
settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")

Answer = tuple[int, dict[str, str], str]


class JenkinsServer(BaseAdapter):
    """Answers by method and path; `asked` holds what came, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], Callable[[requests.PreparedRequest], Answer]] = {}
        self.asked: list[str] = []
        self.bodies: dict[str, str] = {}
        self.client = jenkins.Jenkins("http://jenkins.invalid/", "toolkit", "11" + "0" * 32, timeout=5)
        self.client._session.mount("http://", self)

    def on(self, method: str, path: str, *answers: Answer | dict | str) -> None:
        """Answer that request with each of `answers` in turn, the last one again and again."""
        left = list(answers)

        def answer(_: requests.PreparedRequest) -> Answer:
            given = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(given, dict):
                return 200, {"Content-Type": "application/json"}, json.dumps(given)
            return (200, {}, given) if isinstance(given, str) else given

        self.answers[method, path] = answer

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        """Serve one request as requests' own adapter would hand it back."""
        parts = urlsplit(request.url)
        key = (request.method or "", parts.path.removeprefix("/"))
        name = dict(parse_qsl(parts.query)).get("name")
        shown = f"{key[0]} {key[1]}" + (f" {name}" if name else "")
        self.asked.append(shown)
        body = request.body or b""
        self.bodies[shown] = body.decode() if isinstance(body, bytes) else str(body)
        assert key in self.answers, f"unexpected request: {shown}"
        status, headers, text = self.answers[key](request)
        raw = urllib3.HTTPResponse(io.BytesIO(text.encode()), headers, status, preload_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def jenkins_server() -> Iterator[JenkinsServer]:
    yield JenkinsServer()


@pytest.fixture
def inspector() -> ModuleType:
    """The program that gathers facts on the machine; it is a file, and no module of the toolkit."""
    path = Path(__file__).resolve().parents[2] / "bootstrap" / "remote" / "files" / "inspect_machine.py"
    spec = importlib.util.spec_from_file_location("inspector", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def java_that_misses_a_library(tmp_path: Path) -> Path:
    """A Java with two libraries, of which libfontmanager.so misses libnowhere.so.0."""
    home = tmp_path / "java"
    (home / "lib").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "bin/java").touch(mode=0o755)
    (home / "lib/libawt.so").write_bytes(shared_library("libc.so.6"))
    (home / "lib/libfontmanager.so").write_bytes(shared_library("libawt.so", "libnowhere.so.0"))
    return home
