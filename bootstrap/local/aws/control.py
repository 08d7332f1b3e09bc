"""The control endpoints of the local cloud, which AWS does not have: /_bootstrap/ health, stand-ins and faults.

Faults let tests see a failure in the middle of an operation: `POST /_bootstrap/faults {"AWS::EC2::Subnet": 2}` makes the second
creation from now on of that type fail; `{}` takes all back.
"""

from __future__ import annotations

import json

from bootstrap.local.aws import requests
from bootstrap.local.aws.cloudformation.stand_ins import STAND_INS
from bootstrap.local.aws.requests import Environ, Response

Faults = dict[str, int]


class Control:
    """Answers requests under /_bootstrap/."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def request(self, environ: Environ) -> Response:
        """Answer one request."""
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "GET")
        if path == "/_bootstrap/health":
            return _json({"status": "ok"})
        if path == "/_bootstrap/stand-ins":
            return _json({"types": STAND_INS})
        if path == "/_bootstrap/faults" and method == "POST":
            asked = json.loads(requests.read_body(environ) or b"{}")
            self._faults.clear()
            self._faults.update({str(name): int(count) for name, count in asked.items()})
            return _json(self._faults)
        return _json({"error": f"nothing answers {method} {path}"}, 404)


def _json(value: object, status: int = 200) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode())
