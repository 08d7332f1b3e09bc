"""Lends the credentials of the toolkit's session to a program of AWS that looks for credentials itself.

A program with another SDK does not support every way to log in (one-time codes, caches of the AWS CLI, the keys of a
promotion), and credentials that it gets as text expire after an hour while it still runs. So the program asks a server on the
loopback address, as a container asks for the credentials of its role (AWS_CONTAINER_CREDENTIALS_FULL_URI). Each answer has
fresh credentials, because botocore refreshes them. A request needs the token, which is in the program's environment.
"""

from __future__ import annotations

import datetime
import hmac
import json
import os
import secrets
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# SDKs ask again some minutes before the expiration in the answer (aws-sdk-go: five minutes).
_VALID = datetime.timedelta(minutes=15)
# Variables for the connection to AWS, not for credentials.
_KEPT_VARIABLES = frozenset({"AWS_CA_BUNDLE", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"})


class Lender:
    """A server for the credentials of one session; it runs until it is closed."""

    def __init__(self, credentials: Any) -> None:
        self._token = secrets.token_urlsafe(32)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(credentials, self._token))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def make_environment(self, current: Mapping[str, str]) -> dict[str, str]:
        """The environment `current`, changed so that a program uses these credentials and no others."""
        kept = {
            name: value for name, value in current.items() if not name.startswith("AWS_") or name in _KEPT_VARIABLES
        }
        return kept | {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{self._server.server_port}/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
            # A profile 'default' in these files would come first.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()


def _make_handler(credentials: Any, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a request

        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "").encode()
            if not hmac.compare_digest(authorization, token.encode()):
                self._send_answer(403, {"code": "AccessDenied", "message": "the token is missing or wrong"})
                return
            try:
                keys = credentials.get_frozen_credentials()
            except Exception as error:  # botocore's error, for example an expired login; the program reports it
                self._send_answer(500, {"code": type(error).__name__, "message": str(error)})
                return
            end = datetime.datetime.now(datetime.UTC) + _VALID
            answer = {"AccessKeyId": keys.access_key, "SecretAccessKey": keys.secret_key, "Token": keys.token}
            self._send_answer(200, {**answer, "Expiration": f"{end:%Y-%m-%dT%H:%M:%SZ}"})

        def _send_answer(self, status: int, values: Mapping[str, str | None]) -> None:
            body = json.dumps({name: value for name, value in values.items() if value is not None}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    return Handler
