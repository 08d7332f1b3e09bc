"""A Jenkins on this machine's loopback that answers what a real one was recorded to answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from bootstrap.importing.source import Source
from bootstrap.values import Secret

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / "tests" / "cases" / "imports"
RECORDED: dict[str, dict[str, Any]] = yaml.safe_load((CASES / "answers.yaml").read_text())
EXPORT = (CASES / "export.yaml").read_text()
FOLDER = RECORDED["folder"]["body"]
FREESTYLE = RECORDED["freestyle"]["body"]
PIPELINE = RECORDED["pipeline"]["body"]
USER, TOKEN = "alice", "11f3a4c0ffee"


class Server(ThreadingHTTPServer):
    """A server that says nothing of connections that a client closed."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """The test notices."""


class Jenkins:
    """The server; `answers` by method and path, `asked` is what came, `unexpected` what has no answer.

    `classes` has the class of an item by its name; an item without one is a freestyle job.
    """

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any] | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[str] = []
        self.classes: dict[str, str] = {}
        self.unexpected: list[str] = []
        self.credentials: set[str] = set()
        self.add("GET api/json?mode", RECORDED["greeting"])
        self.add("GET computer/api/json", RECORDED["computers"])
        self.list_plugins(json.loads(RECORDED["plugin"]["body"]))
        self.add("POST configuration-as-code/export", {"status": 200, "body": EXPORT})
        self.list_jobs("")
        jenkins = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                jenkins.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def add(self, request: str, answer: dict[str, Any] | Callable[[BaseHTTPRequestHandler], None]) -> None:
        """Answer 'METHOD path' so."""
        self.answers[request] = answer

    def list_plugins(self, *plugins: dict[str, Any]) -> None:
        body = json.dumps({"_class": "hudson.LocalPluginManager", "plugins": plugins})
        self.add("GET pluginManager/api/json", {"status": 200, "body": body})

    def list_jobs(self, folder: str, *names: str, views: tuple[str, ...] = ()) -> None:
        path = "".join(f"job/{part}/" for part in folder.split("/") if part)
        jobs = [{"_class": self.classes.get(name, "hudson.model.FreeStyleProject"), "name": name} for name in names]
        found = {"jobs": jobs, "views": [{"name": name} for name in ("all", *views)]}
        self.add(f"GET {path}api/json", {"status": 200, "body": json.dumps(found)})

    def add_job(self, path: str, xml: str) -> None:
        self.add(f"GET {path}config.xml", {"status": 200, "body": xml})

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        name = f"{request.command} {parts.path.removeprefix('/')}"
        self.asked.append(name)
        self.credentials.add(request.headers.get("Authorization", ""))
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        tree = parse_qs(parts.query).get("tree", [""])[0]
        answer = self.answers.get(f"{name}?{tree}", self.answers.get(name))
        if answer is None:
            self.unexpected.append(name)
            answer = {"status": 599, "body": "not expected"}
        if callable(answer):
            answer(request)
            return
        body = answer["body"].encode() if isinstance(answer["body"], str) else answer["body"]
        request.send_response(answer["status"])
        for key, value in answer.get("headers", {}).items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def source(self) -> Source:
        return Source(self.url, USER, Secret(TOKEN))

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
