"""The server: one process that is the AWS of one environment.

/latest/ goes to the metadata service, /_bootstrap/ to the control endpoints. The guard looks at all other requests first; those
for CloudFormation go to the engine, the rest through the door to moto. It listens on the loopback, and on the gateway address
of each subnet that has machines, before the bridge with that address exists; on the latter it takes the machines' mail, too,
where that is wanted.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from bootstrap.local import listening
from bootstrap.local.aws import patches
from bootstrap.local.aws.access import characters
from bootstrap.local.aws.compute.machine_interface import Machines, SimulatedMachines
from bootstrap.local.aws.persistence import state_format
from bootstrap.local.aws.persistence.journal import Journal
from bootstrap.local.aws.server import browser_requests, request_limits, requests
from bootstrap.local.aws.server.door import error_response
from bootstrap.local.aws.server.moto_lock import Busy
from bootstrap.local.aws.server.requests import Environ, Response
from bootstrap.local.mail import Sink

log = logging.getLogger(__name__)


class Server:
    """One local cloud: its state in `state`, its APIs on `port`; `mail_port` is where it takes mail, None where nowhere."""

    def __init__(self, state: Path, port: int, machines: Machines, mail_port: int | None = None) -> None:
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        state_format.ensure_format(state)
        self._state = state
        self.port = port
        self._listeners: dict[str, Any] = {}
        self._connections = request_limits.Connections()
        self._lock = threading.Lock()
        os.environ.update(patches.environment(state))
        self._build(machines, mail_port)

    def _build(self, machines: Machines, mail_port: int | None) -> None:
        from bootstrap.local.aws.access import keys
        from bootstrap.local.aws.access.authorization import Authorizer, Stacks
        from bootstrap.local.aws.access.guard import Guard
        from bootstrap.local.aws.access.identities import Identities
        from bootstrap.local.aws.access.sts import Sts
        from bootstrap.local.aws.cloudformation import lookups
        from bootstrap.local.aws.cloudformation.api.api import Api
        from bootstrap.local.aws.cloudformation.operations.engine import Engine
        from bootstrap.local.aws.cloudformation.store import Store
        from bootstrap.local.aws.compute.heartbeats import Heartbeats
        from bootstrap.local.aws.compute.instances import Instances
        from bootstrap.local.aws.compute.metadata import Metadata
        from bootstrap.local.aws.packet_filter.enforcement import Enforcement
        from bootstrap.local.aws.server.clients import Clients
        from bootstrap.local.aws.server.control import Control
        from bootstrap.local.aws.server.door import Door
        from bootstrap.local.aws.server.faults import Faults
        from bootstrap.local.aws.server.signals import Signals

        faults = Faults()
        self._journal = Journal(self._state / "journal.jsonl")
        self._patches = patches.Patches(_salt(self._state), lambda: self.instances)
        self.door = Door(self._moto(), self._journal)
        self.instances = Instances(self.door, machines, self.open_gateway)
        known = self.instances
        self._mail = (
            Sink(self._state / "mail", mail_port, lambda peer: known.find_by_address(peer) is not None)
            if mail_port
            else None
        )
        identities = Identities(keys.ensure_operator_keys(self._state))
        self._store = Store(self._state / "stacks")
        stacks = Stacks(partial(lookups.find_id, self._store), partial(lookups.tags_of, self._store))
        self._guard = Guard(identities, Sts(self.door, identities), Authorizer(stacks))
        refuse = self._guard.refuse_cloudformation
        self._clients = clients = Clients(self.door, self.port, faults, refuse)
        ports = [self.port, mail_port] if mail_port else [self.port]
        own = Clients(self.door, self.port, Faults())  # injected faults do not apply to these clients
        self._enforcement = Enforcement(own, machines, ports, is_watching=not isinstance(machines, SimulatedMachines))
        self.door.changed = self._enforcement.note_change
        signals = Signals(self.door, self._address)
        self.engine = Engine(self._store, self.door, clients, faults, signals)
        self._api = Api(self.engine)
        self._metadata = Metadata(self.door, self.instances, clients)
        self._control = Control(
            keys.ensure_control_token(self._state), self.door.moto_lock, faults, signals, self._enforcement, self._mail
        )
        self._faults = faults
        self._heartbeats = Heartbeats(Clients(self.door, self.port, Faults()))

    def _moto(self) -> Callable[..., Any]:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        def create(service: Any) -> Any:
            self._patches.apply()
            app = create_backend_app(service)
            self._patches.load(
                "moto.iam.models"
            )  # any first request imports it: too late to be changed by the next one
            return app

        self._patches.apply()
        app: Callable[..., Any] = DomainDispatcherApplication(create)
        return app

    def restore(self) -> None:
        """Replay the journal, bring the machines up, and take up stack operations that a kill interrupted."""
        count = self.door.replay()
        if count:
            log.info("replayed %d records", count)
            self.instances.reconcile()
            self._enforcement.note_change("ec2")
        self._heartbeats.start()
        self.engine.resume()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        try:
            request_limits.check_length(environ)
            response = browser_requests.refusal(environ, self._listeners) or self._respond(environ)
        except ConnectionError:
            raise  # a fault that was asked for: the connection ends without an answer
        except Busy as busy:
            response = error_response(environ, 503, "ServiceUnavailable", f"The local cloud is busy: {busy}")
        except request_limits.NotTaken as refused:
            response = error_response(environ, refused.status, refused.code, str(refused))
        except TimeoutError as late:
            response = error_response(environ, 408, "RequestTimeout", str(late))
        except Exception as failure:  # whatever happens, the caller gets an answer that it can read
            log.exception("%s %s", environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
            response = error_response(environ, 501, "InternalFailure", f"{type(failure).__name__}: {failure}")
        names = {name.lower() for name, _ in response.headers}
        extra = [] if "content-length" in names else [("Content-Length", str(len(response.body)))]
        if environ.get("bootstrap.lost"):
            raise ConnectionAbortedError("a fault that was asked for: the answer is lost")
        start_response(_status_line(response.status), [*browser_requests.without_sharing(response.headers), *extra])
        return [response.body]

    def _respond(self, environ: Environ) -> Response:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_bootstrap/"):
            return self._control.request(environ)
        if path.startswith("/latest/"):
            return self._metadata.answer(environ)
        admitted = self._guard.admit(environ)
        if isinstance(admitted, Response):
            return admitted
        if requests.service_of(environ) == "cloudformation":
            with self.door.acting.in_name_of(admitted.record):
                refusal = characters.refusal(environ, requests.read_body(environ))
                return refusal or self._faults.request(environ) or self._api.request(environ)
        return self._faults.request(environ) or self.door.request(environ)

    def open_gateway(self, address: str) -> None:
        """Answer a subnet's machines at its gateway, and take their mail there."""
        self.listen(address)
        if self._mail is not None:
            self._mail.listen(address)

    def listen(self, address: str) -> None:
        """Answer on one more address; again for the same address changes nothing."""
        from werkzeug.serving import make_server

        with self._lock:
            if address in self._listeners:
                return
            opened = listening.bound(address, self.port)
            handler = _handler(self._connections)
            server: Any = make_server(
                address, self.port, self, threaded=True, request_handler=handler, fd=opened.fileno()
            )
            opened.detach()
            server.daemon_threads = True
            self._listeners[address] = server
        threading.Thread(target=server.serve_forever, name=f"listen-{address}", daemon=True).start()
        log.info("listening on %s:%d", address, self.port)

    def _address(self) -> str:
        """Where machines reach this server: the newest gateway, or the loopback while there is none."""
        with self._lock:
            address = next(reversed(self._listeners), "127.0.0.1")
        return f"http://{address}:{self.port}"

    def warm_up(self, region: str) -> None:
        """Load what a first deployment needs, in the background: moto's EC2 alone takes a second."""

        def load() -> None:
            try:
                self.engine.scopes.zones(region)
                for service in ("ssm", "iam", "secretsmanager", "sts"):
                    self._clients(service, region)
            except Exception:
                log.exception("warming up")

        threading.Thread(target=load, name="warm-up", daemon=True).start()

    def announce(self) -> None:
        """Say in endpoint.json that the server answers."""
        part = self._state / "endpoint.json.part"
        part.write_text(json.dumps({"port": self.port, "pid": os.getpid()}))
        part.replace(self._state / "endpoint.json")

    def has_state(self) -> bool:
        """Whether the state directory is still there."""
        return self._journal.exists()

    def close(self) -> None:
        """Stop listening; what is on disk is complete at any time."""
        (self._state / "endpoint.json").unlink(missing_ok=True)
        for server in self._listeners.values():
            server.server_close()
        self._heartbeats.close()
        self.engine.close()
        self.instances.cancel_work()
        with contextlib.suppress(Busy), self.door.quiet():
            self._journal.close()


def _salt(state: Path) -> str:
    """A secret of this cloud from which each region's first ids are drawn."""
    path = state / "salt"
    if not path.exists():
        path.touch(0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text()


def _handler(connections: request_limits.Connections) -> type:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Handler(MotoRequestHandler):
        """Answers at once (no delayed packets) and logs only what failed."""

        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            """Read by the clock, also what comes byte by byte."""
            super().setup()
            self._arriving = request_limits.Arriving(self.connection)
            self.rfile = io.BufferedReader(self._arriving)

        def handle(self) -> None:
            """One connection of many; too many of one address are closed."""
            with connections.one_more(self.client_address[0]) as is_welcome:
                if is_welcome:
                    super().handle()

        def send_response(self, code: int, message: str | None = None) -> None:
            """With the answer the request is over."""
            self._arriving.end_soon()
            super().send_response(code, message)

        def run_wsgi(self) -> None:
            """Tell a client that asks (S3's, before each body) to go on at once: else it waits a second for that."""
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.wfile.flush()
                del self.headers["Expect"]
            self._arriving.within(request_limits.BODY_SECONDS)
            super().run_wsgi()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Every success in the log would hide the failures."""
            if str(code).startswith("5"):
                log.warning("%s %s", self.requestline, code)

        def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
            """A fault that was asked for ended this answer: the client must see the connection end."""
            self.close_connection = True

        def version_string(self) -> str:
            """The name in the Server header."""
            return "local-cloud"

    return Handler


def _status_line(status: int) -> str:
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
