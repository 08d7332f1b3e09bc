"""The server of the local cloud: one process for each environment.

Paths under /latest/ go to the metadata service, paths under /_bootstrap/ to the control endpoints. The guard checks all other
requests first. Then requests to CloudFormation go to the engine, and the others through the door to moto. The server listens on
the loopback address, and on the gateway address of each subnet that has machines, also before the bridge with that address
exists. With a mail port, it also receives the machines' mail at the gateways.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
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
from bootstrap.local.aws.server import browser_requests, mail_place, request_limits, requests
from bootstrap.local.aws.server.door import make_error_response
from bootstrap.local.aws.server.mail_place import MailPlace
from bootstrap.local.aws.server.moto_lock import Busy
from bootstrap.local.aws.server.requests import Environ, Response

log = logging.getLogger(__name__)


class Server:
    """One local cloud, with its state in the directory `state`, its APIs on `port` and its mail, if any, as `mail` says.

    Raises LocalCloudFailed if the state is of another version, or if another process uses it.
    """

    def __init__(self, state: Path, port: int, machines: Machines, mail: MailPlace | None = None) -> None:
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        state_format.ensure_format(state)
        self._state = state
        self.port = port
        self._listeners: dict[str, Any] = {}
        self._connections = request_limits.Connections()
        self._lock = threading.Lock()
        os.environ.update(patches.make_environment(state))
        self._build(machines, mail)

    def _build(self, machines: Machines, mail: MailPlace | None) -> None:
        from bootstrap.local.aws.access import keys
        from bootstrap.local.aws.access.authorization import Authorizer, Stacks
        from bootstrap.local.aws.access.guard import Guard
        from bootstrap.local.aws.access.identities import Identities
        from bootstrap.local.aws.access.sts import Sts
        from bootstrap.local.aws.cloudformation import lookups
        from bootstrap.local.aws.cloudformation.api.api import Api
        from bootstrap.local.aws.cloudformation.operations.engine import Engine
        from bootstrap.local.aws.cloudformation.store import Store
        from bootstrap.local.aws.compute.instances import Instances
        from bootstrap.local.aws.compute.metadata import Metadata
        from bootstrap.local.aws.compute.spot import Interruptions
        from bootstrap.local.aws.packet_filter.enforcement import Enforcement
        from bootstrap.local.aws.scaling import heartbeats
        from bootstrap.local.aws.scaling.health import HealthChecks
        from bootstrap.local.aws.server.clients import Clients
        from bootstrap.local.aws.server.control import Control
        from bootstrap.local.aws.server.door import Door
        from bootstrap.local.aws.server.faults import Faults
        from bootstrap.local.aws.server.periodic import Periodic
        from bootstrap.local.aws.server.publication import Publication
        from bootstrap.local.aws.server.signals import Signals

        faults = Faults()
        self._journal = Journal(self._state / "journal.jsonl")
        verified = mail.identify_sender() if mail else None
        self._patches = patches.Patches(state_format.ensure_salt(self._state), lambda: self.instances, verified)
        self.door = Door(self._create_app(), self._journal)
        self.instances = Instances(self.door, machines, self.open_gateway)
        known = self.instances
        self._mail = mail_place.open_sink(
            self._state, mail, lambda peer: known.find_at(peer) is not None, self._patches.load
        )
        identities = Identities(keys.ensure_operator_keys(self._state))
        self._store = Store(self._state / "stacks")
        stacks = Stacks(partial(lookups.find_id, self._store), partial(lookups.find_tags, self._store))
        self._guard = Guard(identities, Sts(self.door, identities), Authorizer(stacks), self.door.moto_lock)
        refuse = self._guard.refuse_cloudformation
        self._clients = clients = Clients(self.door, self.port, faults, refuse)
        ports = [self.port, mail.port] if mail else [self.port]
        exempt = Clients(self.door, self.port, Faults())  # from injected faults
        self._enforcement = Enforcement(
            exempt, machines, ports, is_watching=not isinstance(machines, SimulatedMachines)
        )
        self.door.on_change = self._enforcement.note_change
        signals = Signals(self.door, self._find_url)
        self.engine = Engine(self._store, self.door, clients, faults, signals)
        self._api = Api(self.engine)
        self._metadata = Metadata(self.door, self.instances, clients)
        token, publication = keys.ensure_control_token(self._state), Publication(self.door, self._patches.catalogue)
        interruptions = Interruptions(self.door)
        self._control = Control(
            token, self.door.moto_lock, faults, signals, self._enforcement, self._mail, publication, interruptions
        )
        self._faults = faults
        end_overdue_holds = partial(heartbeats.end_overdue, exempt)
        self._periodic = Periodic((end_overdue_holds, HealthChecks(self.door).check, interruptions.end_overdue))

    def _create_app(self) -> Callable[..., Any]:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        def create(service: Any) -> Any:
            self._patches.apply()
            app = create_backend_app(service)
            # The first request imports this module, and a later patch would be too late.
            self._patches.load("moto.iam.models")
            return app

        self._patches.apply()
        app: Callable[..., Any] = DomainDispatcherApplication(create)
        return app

    def restore(self) -> None:
        """Replay the journal, bring the machines to their states, and continue stack operations that a kill interrupted."""
        count = self.door.replay()
        if count:
            log.info("replayed %d records", count)
            self.instances.reconcile()
            self._enforcement.note_change("ec2")
        self._periodic.start()
        self.engine.resume()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        try:
            request_limits.check_length(environ)
            response = browser_requests.find_refusal(environ, self._listeners) or self._respond(environ)
        except ConnectionError:
            raise  # an injected fault: the connection ends without an answer
        except Busy as busy:
            response = make_error_response(environ, 503, "ServiceUnavailable", f"The local cloud is busy: {busy}")
        except request_limits.BodyRefused as refused:
            response = make_error_response(environ, refused.status, refused.code, str(refused))
        except TimeoutError as late:
            response = make_error_response(environ, 408, "RequestTimeout", str(late))
        except Exception as failure:  # in any case, the caller must get an answer that it can parse
            log.exception("cannot answer %s %s", environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
            response = make_error_response(environ, 501, "InternalFailure", f"{type(failure).__name__}: {failure}")
        names = {name.lower() for name, _ in response.headers}
        extra = [] if "content-length" in names else [("Content-Length", str(len(response.body)))]
        if environ.get("bootstrap.lost"):
            raise ConnectionAbortedError("an injected fault: the answer is lost")
        start_response(_format_status(response.status), [*browser_requests.remove_cors(response.headers), *extra])
        return [response.body]

    def _respond(self, environ: Environ) -> Response:
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_bootstrap/"):
            return self._control.answer(environ)
        if path.startswith("/latest/"):
            return self._metadata.answer(environ)
        admitted = self._guard.admit(environ)
        if isinstance(admitted, Response):
            return admitted
        if requests.find_service(environ) == "cloudformation":
            with self.door.callers.use_caller(admitted.record):
                refusal = characters.find_refusal(environ, requests.read_body(environ))
                return refusal or self._faults.find_answer(environ) or self._api.answer(environ)
        return self._faults.find_answer(environ) or self.door.answer(environ)

    def open_gateway(self, address: str) -> None:
        """Listen at the gateway address of a subnet, for requests and for mail of its machines."""
        self.listen(address)
        if self._mail is not None:
            self._mail.listen(address)

    def listen(self, address: str) -> None:
        """Listen on one more address; for an address that is already listened on, do nothing. Raises LocalCloudFailed."""
        from werkzeug.serving import make_server

        with self._lock:
            if address in self._listeners:
                return
            bound_socket = listening.bind_socket(address, self.port)
            handler = _make_handler(self._connections)
            server: Any = make_server(
                address, self.port, self, threaded=True, request_handler=handler, fd=bound_socket.fileno()
            )
            bound_socket.detach()
            server.daemon_threads = True
            self._listeners[address] = server
        threading.Thread(target=server.serve_forever, name=f"listen-{address}", daemon=True).start()
        log.info("listening on %s:%d", address, self.port)

    def _find_url(self) -> str:
        """The URL at which machines reach this server, with the newest gateway; without a gateway, the loopback address."""
        with self._lock:
            address = next(reversed(self._listeners), "127.0.0.1")
        return f"http://{address}:{self.port}"

    def warm_up(self, region: str) -> None:
        """Load the services that a first launch needs, in a thread: moto's EC2 alone takes a second."""

        def load() -> None:
            try:
                self.engine.scopes.list_zones(region)
                for service in ("ssm", "iam", "secretsmanager", "sts"):
                    self._clients(service, region)
            except Exception:
                log.exception("cannot load services in advance")

        threading.Thread(target=load, name="warm-up", daemon=True).start()

    def announce(self) -> None:
        """Write port and process id into endpoint.json, which shows clients that the server answers."""
        part = self._state / "endpoint.json.part"
        part.write_text(json.dumps({"port": self.port, "pid": os.getpid()}))
        part.replace(self._state / "endpoint.json")

    def has_state(self) -> bool:
        """Whether the state directory still exists."""
        return self._journal.exists()

    def close(self) -> None:
        """Stop listening, and close the journal; the files on disk are complete at any time."""
        (self._state / "endpoint.json").unlink(missing_ok=True)
        for server in self._listeners.values():
            server.server_close()
        self._periodic.close()
        self.engine.close()
        self.instances.cancel_work()
        with contextlib.suppress(Busy), self.door.stop_requests():
            self._journal.close()


def _make_handler(connections: request_limits.Connections) -> type:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Handler(MotoRequestHandler):
        """Sends packets without delay, and logs only failed requests."""

        disable_nagle_algorithm = True
        wbufsize = -1

        def setup(self) -> None:
            """Read the request with a deadline, also if it arrives byte by byte."""
            super().setup()
            self._reader = request_limits.TimedReader(self.connection)
            self.rfile = io.BufferedReader(self._reader)

        def handle(self) -> None:
            """Answer the requests of a connection, or close it if its address has too many."""
            with connections.count_connection(self.client_address[0]) as is_accepted:
                if is_accepted:
                    super().handle()

        def send_response(self, code: int, message: str | None = None) -> None:
            """Send the status, and limit what is still read of the request."""
            self._reader.limit_rest()
            super().send_response(code, message)

        def run_wsgi(self) -> None:
            """Let a client that expects it (S3's clients do) send its body at once; otherwise it would wait for a second."""
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.wfile.flush()
                del self.headers["Expect"]
            self._reader.set_deadline(request_limits.BODY_SECONDS)
            super().run_wsgi()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log only failures, which would be hard to find among all requests."""
            if str(code).startswith("5"):
                log.warning("%s %s", self.requestline, code)

        def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
            """Close the connection without an answer, after an injected fault."""
            self.close_connection = True

        def version_string(self) -> str:
            """The value of the header Server."""
            return "local-cloud"

    return Handler


def _format_status(status: int) -> str:
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
