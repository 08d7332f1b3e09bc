"""Makes botocore clients for the engine, whose requests go to the door of this process without a socket.

So the engine's calls are signed, checked, numbered and journalled like all other requests.
"""

from __future__ import annotations

import io
import threading
import urllib.parse
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.access.policies import created_resources
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.call_identity import Actor
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.faults import Faults
from bootstrap.local.aws.server.requests import Response

ATTEMPTS = 4  # CloudFormation repeats throttled calls

Refuse = Callable[[Actor, requests.Environ, bytes], Response | None]


class Clients:
    """Makes one client for each service and region; several threads may use a client.

    `refuse` gets each call that has a caller (see `call_identity`), and returns the refusal or None. For requests from
    outside, the guard decides that. Armed faults of `faults` also apply to these clients.
    """

    def __init__(self, door: Door, port: int, faults: Faults, refuse: Refuse | None = None) -> None:
        self._refuse = refuse
        self._faults = faults
        self._door = door
        self._port = port
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str, region: str) -> Any:
        """The client of a service, by the name that botocore has for it, in a region."""
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[(service, region)] = self._create(service, region)
            return self._clients[(service, region)]

    def _create(self, service: str, region: str) -> Any:
        import botocore.config
        import botocore.session

        if self._session is None:
            self._session = botocore.session.Session()
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{self._port}",
            aws_access_key_id="cloudformation",
            aws_secret_access_key="cloudformation",  # noqa: S106 (no part checks it: these requests do not pass the guard)
            config=botocore.config.Config(retries={"total_max_attempts": ATTEMPTS}, s3={"addressing_style": "path"}),
        )
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse
        from botocore.exceptions import ConnectionClosedError

        environ = self._make_environ(request)
        try:
            # The action is read first, because a later reader may change the request.
            action = requests.find_action(environ, requests.read_body(environ))
            refusal = self._find_refusal(environ)
            response = refusal or self._faults.find_answer(environ) or self._door.answer(environ)
            if self._refuse is not None:
                self._note_created(environ, action, response)
        except ConnectionError:
            environ["bootstrap.lost"] = True
        if environ.get("bootstrap.lost"):
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(request.url, response.status, dict(response.headers), _Raw(response.body))

    def _find_refusal(self, environ: requests.Environ) -> Response | None:
        actor = self._door.callers.find(self._door.step) if self._refuse else None
        if actor is None or self._refuse is None:
            return None
        return self._refuse(actor, environ, requests.read_body(environ))

    def _note_created(self, environ: requests.Environ, action: str, response: Response) -> None:
        step = self._door.step
        if "/create/" in step and requests.find_service(environ) == "ec2" and response.status < 300:
            self._door.callers.add_created(step, created_resources.find_created_ids(action, response.body))

    def _make_environ(self, request: Any) -> requests.Environ:
        parts = urllib.parse.urlsplit(request.url)
        body = request.body if request.body is not None else b""
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
        record = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": urllib.parse.unquote(parts.path, "latin-1") or "/",
            "RAW_URI": parts.path + ("?" + parts.query if parts.query else ""),
            "QUERY_STRING": parts.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self._port),
            "HTTP_HOST": f"127.0.0.1:{self._port}",
        }
        for name, value in request.headers.items():
            text = value.decode() if isinstance(value, bytes) else str(value)
            key = name.upper().replace("-", "_")
            record[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
        return requests.make_environ(record, bytes(content))


class _Raw(io.BytesIO):
    """A response body with the interface that botocore expects from a connection."""

    def stream(self, *_: Any, **__: Any) -> Any:
        """Yield the whole body as one chunk."""
        yield self.read()
