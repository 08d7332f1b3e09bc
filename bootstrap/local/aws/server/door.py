"""The door to moto: all requests, from outside and from the engine, go through `Door.request`.

A mutating request is numbered, seeded and journalled before its answer is sent. At the start, `replay` repeats the journal, so
that the same resources have the same ids, addresses, passwords and keys. Work outside of moto that a request causes, such as
the boot of a container, waits with `run_afterwards` until the request is on disk, and is not done during a replay.

A request of the engine has the name of its operation and a number within it. When an operation continues after a kill, the
requests that it had already sent are answered from the journal, in their order, so no resource is created twice. The answers
that the operation read before a change are journalled with the change. If it read again, it would see the change, and could
take another way.
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
from bootstrap.local.aws.server.call_identity import Callers
from bootstrap.local.aws.server.moto_lock import MotoLock
from bootstrap.local.aws.server.requests import Environ, Response

WsgiApp = Callable[[Environ, Callable[..., Any]], Any]
Step = tuple[str, int]
_NO_ROUTE = b"The requested URL was not found on the server"  # of Flask, on which moto stands: no service answers so


class Door:
    """The only way to `app`, which is moto.

    `event_handlers` applies events, which are journalled like requests: a boot that failed is one. `on_change` is called with
    the service of each mutating request after the request is on disk, and with "ec2" after each event.
    """

    def __init__(self, app: WsgiApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal
        self.moto_lock = MotoLock()
        self.callers = Callers()
        self._local = threading.local()
        self._recorded_answers: dict[str, list[tuple[str, Response]]] = {}
        self.event_handlers: dict[str, Callable[[Record], None]] = {}
        self.on_change: Callable[[str], None] = lambda _service: None
        self.is_replaying = False

    @contextmanager
    def enter_operation(self, name: str) -> Iterator[None]:
        """Within the context, this thread's requests belong to the operation `name` and are numbered."""
        local = self._local
        before = [getattr(local, key, 0) for key in ("operation", "number", "seen", "reads")]
        local.operation, local.number, local.seen, local.reads = name, 0, 0, []
        try:
            yield
        finally:
            local.operation, local.number, local.seen, local.reads = before

    @property
    def step(self) -> str:
        """The name of the operation of this thread; '' outside of one."""
        return str(getattr(self._local, "operation", "") or "")

    @contextmanager
    def stop_requests(self) -> Iterator[None]:
        """Wait for the request in progress, and let no other request begin within the context. Raises Busy."""
        with self.moto_lock.hold("the end of the server"):
            yield

    def run_afterwards(self, act: Callable[[], None]) -> None:
        """Call `act` after the current request is on disk; outside of a request, call it now; during a replay, do nothing."""
        if not self.is_replaying:
            pending = getattr(self._local, "pending", None)
            if pending is None:
                act()
            else:
                pending.append(act)

    def answer(self, environ: Environ) -> Response:
        """Answer one request, and journal it if it may change something. Raises Busy if another call does not end."""
        body = requests.read_body(environ)
        if requests.is_slow(environ, body):
            return self._call_app(environ)
        call = _describe_call(environ, body)
        recorded_answer = self._find_recorded_answer(call)
        if recorded_answer:
            return recorded_answer
        if requests.is_mutating(environ, body):
            refusal = characters.find_refusal(environ, body)
            if refusal is not None:
                return refusal
            return self._mutate(environ, body, self._number_request())
        with self.moto_lock.hold(call):
            response = self._call_app(environ)
        if getattr(self._local, "operation", None):
            self._local.reads.append((call, response))
        return response

    def record_event(self, kind: str, **details: Any) -> None:
        """Apply a change without a request, with the handler of its kind, and journal it.

        Like a request, the event has a seed and a time, so that its handler may make resources with new ids. Work of
        `run_afterwards` begins when the event is on disk.
        """
        record: Record = {"event": kind, "seed": secrets.token_hex(32), "time": time.time(), **details}
        before = getattr(self._local, "pending", None)
        pending: list[Callable[[], None]] = []
        self._local.pending = pending
        try:
            with self.moto_lock.hold(kind):
                self._apply_event(record)
                self._journal.append(record)
        finally:
            self._local.pending = before
        for act in pending:
            act()
        self.on_change("ec2")

    def _apply_event(self, record: Record) -> None:
        with randomness.use_seed(record["seed"]), randomness.fix_clock(record["time"]):
            self.event_handlers[record["event"]](record)

    def replay(self) -> int:
        """Repeat all records of the journal; returns their number."""
        count = 0
        self.is_replaying = True
        try:
            for record in self._journal.read_records():
                self._replay_record(record)
                count += 1
        finally:
            self.is_replaying = False
        return count

    def _find_recorded_answer(self, call: str) -> Response | None:
        """The answer that this operation got for the same call before a restart; None for a new call, which skips no answer."""
        name = getattr(self._local, "operation", None)
        recorded = self._recorded_answers.get(name, []) if name else []
        for index in range(self._local.seen if recorded else 0, len(recorded)):
            if recorded[index][0] == call:
                self._local.seen = index + 1
                return recorded[index][1]
        return None

    def _number_request(self) -> Step | None:
        name = getattr(self._local, "operation", None)
        if not name:
            return None
        self._local.number += 1
        return (name, self._local.number)

    def _mutate(self, environ: Environ, body: bytes, step: Step | None) -> Response:
        record: Record = {"seed": secrets.token_hex(32), "time": time.time()}
        record["environ"] = requests.make_record(environ)
        record["body"] = base64.b64encode(body).decode()
        if step:
            record["step"] = list(step)
            record["reads"] = [[call, *_encode_response(answer)] for call, answer in self._local.reads]
            self._local.reads = []
        pending: list[Callable[[], None]] = []
        self._local.pending = pending
        try:
            call = _describe_call(environ, body)
            with self.moto_lock.hold(call), randomness.use_seed(record["seed"]), randomness.fix_clock(record["time"]):
                randomness.record_material(record.setdefault("material", []))
                response = self._call_app(environ)
                self._journal.append(record)
        finally:
            self._local.pending = None
        for act in pending:
            act()
        self.on_change(requests.find_service(environ))
        return response

    def _replay_record(self, record: Record) -> None:
        if "event" in record:
            self._apply_event(record)
            return
        environ = requests.make_environ(record["environ"], base64.b64decode(record["body"]))
        with randomness.use_seed(record["seed"]), randomness.fix_clock(record["time"]):
            randomness.replay_material(record.get("material", []))
            response = self._call_app(environ)
        if "step" in record:
            call = _describe_call(environ, base64.b64decode(record["body"]))
            recorded = self._recorded_answers.setdefault(record["step"][0], [])
            recorded += [(read_call, _decode_response(answer)) for read_call, *answer in record.get("reads", ())]
            recorded.append((call, response))

    def _call_app(self, environ: Environ) -> Response:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
            started[:] = [status, headers]
            return lambda _chunk: None

        try:
            chunks = self._app(environ, start_response)
            body = b"".join(chunks)
        except Exception as failure:  # moto raises plain exceptions for what it does not implement
            return _make_failure_response(environ, failure)
        status, headers = started
        if status.startswith("404") and _NO_ROUTE in body:
            place = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
            message = f"the local cloud does not have this operation of {requests.find_service(environ)}: {place}"
            return make_error_response(environ, 501, "NotImplemented", message)
        return Response(int(status.split()[0]), tuple(headers), body)


def _describe_call(environ: Environ, body: bytes) -> str:
    """A text that is the same if a step sends a request again; the tokens in the request may differ."""
    action = requests.find_action(environ, body)
    return f"{requests.find_service(environ)} {environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')} {action}"


def _encode_response(answer: Response) -> list[Any]:
    return [answer.status, [list(pair) for pair in answer.headers], base64.b64encode(answer.body).decode()]


def _decode_response(fields: list[Any]) -> Response:
    status, headers, body = fields
    return Response(status, tuple((name, value) for name, value in headers), base64.b64decode(body))


def _make_failure_response(environ: Environ, failure: Exception) -> Response:
    """The AWS error for a failure in moto: status 501, after which clients do not repeat the call."""
    return make_error_response(environ, 501, "InternalFailure", f"{type(failure).__name__}: {failure}")


def make_error_response(environ: Environ, status: int, code: str, message: str) -> Response:
    """An AWS error in the form of the request's protocol: JSON, EC2's XML or the query protocol's XML."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return Response(status, (("Content-Type", "application/x-amz-json-1.1"),), body)
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    request_id = secrets.token_hex(16)
    if requests.find_service(environ) == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(status, (("Content-Type", "text/xml"),), text.encode())
