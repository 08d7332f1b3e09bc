"""A Jenkins on the loopback, as far as draining needs one: sign-in, crumb, quiet mode, and what runs on its executors."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

PLACEHOLDER = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask$PlaceholderExecutable"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
FREESTYLE = "hudson.model.FreeStyleBuild"
ROOT = "https://ci.example.org/"


class FakeJenkins:
    """`executors` and `one_off` hold (class, path); `is_ready` is what Jenkins itself thinks of a restart."""

    def __init__(self) -> None:
        self.executors: list[tuple[str, str]] = []
        self.one_off: list[tuple[str, str]] = []
        self.is_ready = True
        self.is_quiet = False
        self.secrets = {"11token"}
        self.refuses: dict[str, int] = {}
        self.body: bytes | None = None  # in the place of every JSON answer
        self.asked: list[str] = []

    def pipeline(self, path: str) -> None:
        """A Pipeline inside of its node block."""
        self.executors.append((PLACEHOLDER, path))
        self.one_off.append((PIPELINE, path))

    def end(self) -> None:
        """Nothing runs any more."""
        self.executors, self.one_off, self.is_ready = [], [], True

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        size = int(handler.headers.get("Content-Length", 0))
        form = {name: values[0] for name, values in parse_qs(handler.rfile.read(size).decode()).items()}
        given = base64.b64decode(handler.headers.get("Authorization", "Basic ").split()[1]).decode()
        user, _, secret = given.partition(":")
        if (user, secret in self.secrets) != ("toolkit", True):
            return self.send(handler, 401)
        self.asked.append(path + ("?block" if "block" in form else ""))
        if path in self.refuses:
            return self.send(handler, self.refuses[path])
        if handler.command == "POST":
            if secret == "word" and (handler.headers["Jenkins-Crumb"], handler.headers["Cookie"]) != ("c", "S=1"):
                return self.send(handler, 403)
            return self.posted(handler, path, form)
        return self.send(handler, 200, self.body or json.dumps(self.read(path)).encode())

    def posted(self, handler: BaseHTTPRequestHandler, path: str, form: dict[str, str]) -> None:
        self.is_quiet = path == "/quietDown"
        deadline = time.monotonic() + int(form.get("timeout", 0)) / 1000
        while "block" in form and not self.is_ready and time.monotonic() < deadline:
            time.sleep(0.02)
        self.send(handler, 302)

    def read(self, path: str) -> Any:
        match path:
            case "/crumbIssuer/api/json":
                return {"crumbRequestField": "Jenkins-Crumb", "crumb": "c"}
            case "/api/json":
                return {"quietingDown": self.is_quiet}
        shown = [
            [{"currentExecutable": {"_class": kind, "url": f"{ROOT}{path}"}} for kind, path in held]
            for held in (self.executors, self.one_off)
        ]
        return {"computer": [{"executors": [*shown[0], {"currentExecutable": None}], "oneOffExecutors": shown[1]}]}

    def send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes = b"") -> None:
        handler.send_response(status)
        handler.send_header("Location", "/")
        handler.send_header("Set-Cookie", "S=1; Path=/; HttpOnly")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def serving(jenkins: FakeJenkins) -> Iterator[str]:
    """Where it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            jenkins.answer(self)

        def do_POST(self) -> None:
            jenkins.answer(self)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
