"""Answers the control endpoints of the local cloud, which AWS does not have.

GET  /_bootstrap/health         {"status": "ok"}, or status 503 and the name of the call in which the server hangs
GET  /_bootstrap/stand-ins      the types that are only recorded, and what each of them does not do
GET  /_bootstrap/properties     the properties of each type: arrived, write-only, not modelled, refused in place
GET  /_bootstrap/faults         the armed faults (see `faults`); POST arms faults, POST {} removes all of them
GET  /_bootstrap/enforcement    how many rules hold between machines, and problems; POST sets the rules first
GET  /_bootstrap/mail           where the machines' mail is received and stored, and problems (see `local.mail`)
GET  /_bootstrap/images         Debian's images, oldest first; POST publishes or deregisters one (see `publication`)
GET  /_bootstrap/spot           the Spot Instances that are being interrupted; POST interrupts one (see `compute.spot`)
PUT  /_bootstrap/signal/NAME    a signal for a wait condition (see `signals`)

A POST needs the token of the state directory: Authorization: Bearer TOKEN.
"""

from __future__ import annotations

import hmac
import json

from bootstrap.local.aws.cloudformation.comparison import modelled_properties
from bootstrap.local.aws.cloudformation.stand_ins import STAND_INS
from bootstrap.local.aws.compute.spot import Interruptions
from bootstrap.local.aws.packet_filter.enforcement import Enforcement
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.faults import Faults
from bootstrap.local.aws.server.moto_lock import MotoLock
from bootstrap.local.aws.server.publication import Publication
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
        publication: Publication,
        interruptions: Interruptions,
    ) -> None:
        self._token = token
        self._moto_lock = moto_lock
        self._faults = faults
        self._signals = signals
        self._enforcement = enforcement
        self._mail = mail
        self._publication = publication
        self._interruptions = interruptions

    def answer(self, environ: Environ) -> Response:
        """Answer one request, in JSON: 401 without the token, 400 for a wrong body, 404 for another path."""
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path.startswith(SIGNAL) and method == "PUT":  # as on AWS, the secret name of the handle replaces the token
            return self._record_signal(path.removeprefix(SIGNAL), requests.read_body(environ))
        if method != "GET" and not self._has_token(environ):
            return _respond(
                {"error": "this request needs the token in the control-token file of the state directory"}, 401
            )
        if path == "/_bootstrap/health":
            hung_call = self._moto_lock.find_hung_call()
            return _respond({"status": "stuck", "in": hung_call}, 503) if hung_call else _respond({"status": "ok"})
        if path == "/_bootstrap/stand-ins":
            return _respond({"types": STAND_INS})
        if path == "/_bootstrap/properties":
            return _respond({"types": modelled_properties.load_table()})
        if path == "/_bootstrap/faults" and method in {"GET", "POST"}:
            return self._arm_faults(environ) if method == "POST" else _respond({"faults": self._faults.list_armed()})
        if path == "/_bootstrap/enforcement" and method in {"GET", "POST"}:
            if method == "POST":
                self._enforcement.apply_now()
            return _respond(self._enforcement.read_state())
        if path == "/_bootstrap/images" and method in {"GET", "POST"}:
            return self._publish(environ) if method == "POST" else _respond({"images": self._publication.list_all()})
        if path == "/_bootstrap/spot" and method in {"GET", "POST"}:
            return self._interrupt(environ) if method == "POST" else _respond({"spot": self._interruptions.list_all()})
        if path == "/_bootstrap/mail":
            return _respond(self._mail.describe_state() if self._mail else {})
        return _respond({"error": f"there is no control endpoint {method} {path}"}, 404)

    def _has_token(self, environ: Environ) -> bool:
        """Whether the request has the control token."""
        header = environ.get("HTTP_AUTHORIZATION", "")
        return hmac.compare_digest(f"Bearer {self._token}".encode(), header.encode())

    def _arm_faults(self, environ: Environ) -> Response:
        try:
            faults = json.loads(requests.read_body(environ) or b"{}")
            self._faults.arm(faults)
        except (ValueError, TypeError, AttributeError) as error:
            return _respond({"error": str(error)}, 400)
        return _respond(faults)

    def _publish(self, environ: Environ) -> Response:
        try:
            self._publication.change(json.loads(requests.read_body(environ)))
        except ValueError as error:
            return _respond({"error": str(error)}, 400)
        return _respond({"images": self._publication.list_all()})

    def _interrupt(self, environ: Environ) -> Response:
        try:
            self._interruptions.interrupt(json.loads(requests.read_body(environ)))
        except ValueError as error:
            return _respond({"error": str(error)}, 400)
        return _respond({"spot": self._interruptions.list_all()})

    def _record_signal(self, handle: str, body: bytes) -> Response:
        try:
            self._signals.record(handle, json.loads(body))
        except (ValueError, KeyError, TypeError) as error:
            return _respond({"error": f"a signal is an object with Status, UniqueId, Reason and Data: {error}"}, 400)
        return Response(200, (), b"")


def _respond(value: object, status: int = 200) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode())
