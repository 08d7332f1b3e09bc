"""The door to moto: every request, from outside or from the engine, goes through `Door.request`.

A mutating request is numbered, seeded and journalled before its answer leaves; `replay` repeats the journal at the start, so
that the same resources have the same ids, addresses, passwords and keys. What a request causes outside moto (a container that
boots) is put off with `afterwards` until the request is on disk, and is silent during a replay.

A request of the engine carries the name of its operation and a number within it. When an operation is taken up again after a
kill, those requests that had already been made are answered from the journal, in their order, so nothing is made twice. What it
read on its way to a change is kept with the change: read anew, it would show the change, and the operation go another way.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import escape

from bootstrap.local.aws.access import characters
from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.persistence.journal import Journal, Record
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.call_identity import Acting
from bootstrap.local.aws.server.moto_lock import MotoLock
from bootstrap.local.aws.server.requests import Environ, Response

WsgiApp = Callable[[Environ, Callable[..., Any]], Any]
Step = tuple[str, int]


class Door:
    """The one way to `app`; `events` names what is journalled beside requests (a boot that failed, for one).

    `changed` is told the service of each request that may have changed something, once its answer is on disk.
    """

    def __init__(self, app: WsgiApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal
        self.moto_lock = MotoLock()
        self.acting = Acting()
        self._local = threading.local()
        self._answered: dict[str, list[tuple[str, Response]]] = {}
        self.events: dict[str, Callable[[Record], None]] = {}
        self.changed: Callable[[str], None] = lambda _service: None
        self.is_replaying = False

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Number this thread's mutating requests within the operation `name`."""
        local = self._local
        before = [getattr(local, key, 0) for key in ("operation", "number", "seen", "reads")]
        local.operation, local.number, local.seen, local.reads = name, 0, 0, []
        try:
            yield
        finally:
            local.operation, local.number, local.seen, local.reads = before

    @property
    def step(self) -> str:
        """The name of the operation that this thread is in; '' outside of one."""
        return str(getattr(self._local, "operation", "") or "")

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Wait for the request in progress, and let no other begin."""
        with self.moto_lock.held("the end of the server"):
            yield

    def afterwards(self, act: Callable[[], None]) -> None:
        """Do `act` once the current request is on disk; nothing during a replay."""
        if not self.is_replaying:
            pending = getattr(self._local, "pending", None)
            if pending is None:
                act()
            else:
                pending.append(act)

    def request(self, environ: Environ) -> Response:
        """Answer one request, journalling it if it may change something."""
        body = requests.read_body(environ)
        if requests.is_waiting(environ, body):
            return self._answer(environ)
        what = _what(environ, body)
        answered = self._already(what)
        if answered:
            return answered
        if requests.is_mutating(environ, body):
            refusal = characters.refusal(environ, body)
            if refusal is not None:
                return refusal
            return self._mutate(environ, body, self._next_step())
        with self.moto_lock.held(what):
            response = self._answer(environ)
        if getattr(self._local, "operation", None):
            self._local.reads.append((what, response))
        return response

    def event(self, kind: str, **details: Any) -> None:
        """Journal something that changed the cloud without a request, and apply it."""
        record: Record = {"event": kind, **details}
        with self.moto_lock.held(kind):
            self.events[kind](record)
            self._journal.append(record)

    def replay(self) -> int:
        """Repeat the journal; returns how many records there were."""
        count = 0
        self.is_replaying = True
        try:
            for record in self._journal.read_records():
                self._repeat(record)
                count += 1
        finally:
            self.is_replaying = False
        return count

    def _already(self, what: str) -> Response | None:
        """The answer that this operation got for the same call before a restart; a call that is new passes none over."""
        name = getattr(self._local, "operation", None)
        made = self._answered.get(name, []) if name else []
        for place in range(self._local.seen if made else 0, len(made)):
            if made[place][0] == what:
                self._local.seen = place + 1
                return made[place][1]
        return None

    def _next_step(self) -> Step | None:
        name = getattr(self._local, "operation", None)
        if not name:
            return None
        self._local.number += 1
        return (name, self._local.number)

    def _mutate(self, environ: Environ, body: bytes, step: Step | None) -> Response:
        record: Record = {"seed": secrets.token_hex(32), "time": time.time()}
        record["environ"] = requests.to_record(environ)
        record["body"] = base64.b64encode(body).decode()
        if step:
            record["step"] = list(step)
            record["reads"] = [[what, *_to_list(answer)] for what, answer in self._local.reads]
            self._local.reads = []
        pending: list[Callable[[], None]] = []
        self._local.pending = pending
        try:
            what = _what(environ, body)
            with self.moto_lock.held(what), randomness.seeded(record["seed"]), randomness.fixed_clock(record["time"]):
                randomness.record_material(record.setdefault("material", []))
                response = self._answer(environ)
                self._journal.append(record)
        finally:
            self._local.pending = None
        for act in pending:
            act()
        self.changed(requests.service_of(environ))
        return response

    def _repeat(self, record: Record) -> None:
        if "event" in record:
            self.events[record["event"]](record)
            return
        environ = requests.from_record(record["environ"], base64.b64decode(record["body"]))
        with randomness.seeded(record["seed"]), randomness.fixed_clock(record["time"]):
            randomness.replay_material(record.get("material", []))
            response = self._answer(environ)
        if "step" in record:
            what = _what(environ, base64.b64decode(record["body"]))
            made = self._answered.setdefault(record["step"][0], [])
            made += [(read, _from_list(answer)) for read, *answer in record.get("reads", ())]
            made.append((what, response))

    def _answer(self, environ: Environ) -> Response:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return lambda _chunk: None

        try:
            chunks = self._app(environ, start_response)
            body = b"".join(chunks)
        except Exception as failure:  # moto raises bare exceptions for what it does not implement
            return _internal_failure(environ, failure)
        status, headers = started
        return Response(int(status.split()[0]), tuple(headers), body)


def _what(environ: Environ, body: bytes) -> str:
    """What a request calls, as far as a second run of the same step calls the same: tokens within it may differ."""
    action = requests.action_of(environ, body)
    return f"{requests.service_of(environ)} {environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')} {action}"


def _to_list(answer: Response) -> list[Any]:
    return [answer.status, [list(pair) for pair in answer.headers], base64.b64encode(answer.body).decode()]


def _from_list(kept: list[Any]) -> Response:
    status, headers, body = kept
    return Response(status, tuple((name, value) for name, value in headers), base64.b64decode(body))


def _internal_failure(environ: Environ, failure: Exception) -> Response:
    """A failure inside moto as an AWS error: 501, which clients do not try again."""
    return error_response(environ, 501, "InternalFailure", f"{type(failure).__name__}: {failure}")


def error_response(environ: Environ, status: int, code: str, message: str) -> Response:
    """An error in the form that the caller's protocol reads: JSON, EC2's XML or the query protocol's XML."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return Response(status, (("Content-Type", "application/x-amz-json-1.1"),), body)
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    request_id = secrets.token_hex(16)
    if requests.service_of(environ) == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(status, (("Content-Type", "text/xml"),), text.encode())
