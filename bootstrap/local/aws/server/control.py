"""The control endpoints of the local cloud, which AWS does not have.

GET  /_bootstrap/health         {"status": "ok"}, or 503 and in which call the server is stuck
GET  /_bootstrap/stand-ins      the types that are only recorded, each with what is missing
GET  /_bootstrap/properties     each type's properties: arrived, write-only, not modelled, refused in place
GET  /_bootstrap/faults         what is armed (see `faults`); POST arms, {} takes all back
GET  /_bootstrap/enforcement    which rules hold between machines, and problems; POST has them set at once (see `enforcement`)
GET  /_bootstrap/mail           where machines' mail is taken and kept, and problems (see `local.mail`); {} where it is not
PUT  /_bootstrap/signal/NAME    a wait condition's signal (see `signals`)

What changes something is done for whoever shows the token of the state directory: Authorization: Bearer TOKEN.
"""

from __future__ import annotations

import hmac
import json

from bootstrap.local.aws.cloudformation.comparison import modelled_properties
from bootstrap.local.aws.cloudformation.stand_ins import STAND_INS
from bootstrap.local.aws.packet_filter.enforcement import Enforcement
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.faults import Faults
from bootstrap.local.aws.server.moto_lock import MotoLock
from bootstrap.local.aws.server.requests import Environ, Response
from bootstrap.local.aws.server.signals import PATH as SIGNAL
from bootstrap.local.aws.server.signals import Signals
from bootstrap.local.mail import Sink


class Control:
    """Answers requests under /_bootstrap/."""

    def __init__(
        self,
        token: str,
        moto_lock: MotoLock,
        faults: Faults,
        signals: Signals,
        enforcement: Enforcement,
        mail: Sink | None,
    ) -> None:
        self._token = token
        self._moto_lock = moto_lock
        self._faults = faults
        self._signals = signals
        self._enforcement = enforcement
        self._mail = mail

    def request(self, environ: Environ) -> Response:
        """Answer one request."""
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path.startswith(SIGNAL) and method == "PUT":  # the handle's name is its secret, as on AWS
            return self._signal(path.removeprefix(SIGNAL), requests.read_body(environ))
        if method != "GET" and not self._is_told(environ):
            return _json({"error": "what changes something needs the token in the cloud's control-token file"}, 401)
        if path == "/_bootstrap/health":
            stuck = self._moto_lock.stuck()
            return _json({"status": "stuck", "in": stuck}, 503) if stuck else _json({"status": "ok"})
        if path == "/_bootstrap/stand-ins":
            return _json({"types": STAND_INS})
        if path == "/_bootstrap/properties":
            return _json({"types": modelled_properties.table()})
        if path == "/_bootstrap/faults" and method in {"GET", "POST"}:
            return self._arm(environ) if method == "POST" else _json({"faults": self._faults.shown()})
        if path == "/_bootstrap/enforcement" and method in {"GET", "POST"}:
            if method == "POST":
                self._enforcement.apply_now()
            return _json(self._enforcement.read_state())
        if path == "/_bootstrap/mail":
            return _json(self._mail.state() if self._mail else {})
        return _json({"error": f"nothing answers {method} {path}"}, 404)

    def _is_told(self, environ: Environ) -> bool:
        """Whether whoever asks has the token."""
        given = environ.get("HTTP_AUTHORIZATION", "")
        return hmac.compare_digest(f"Bearer {self._token}".encode(), given.encode())

    def _arm(self, environ: Environ) -> Response:
        try:
            asked = json.loads(requests.read_body(environ) or b"{}")
            self._faults.arm(asked)
        except (ValueError, TypeError, AttributeError) as fault:
            return _json({"error": str(fault)}, 400)
        return _json(asked)

    def _signal(self, handle: str, body: bytes) -> Response:
        try:
            self._signals.take(handle, json.loads(body))
        except (ValueError, KeyError, TypeError) as fault:
            return _json({"error": f"a signal has Status, UniqueId, Reason and Data: {fault}"}, 400)
        return Response(200, (), b"")


def _json(value: object, status: int = 200) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode())
