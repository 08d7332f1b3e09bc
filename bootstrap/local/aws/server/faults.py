"""Faults on demand: calls that fail, are throttled, slow or never answered, and resources that fail.

`POST /_bootstrap/faults` arms them in the place of all that were armed; `GET` shows them with what they have met; `{}` clears.

    {"AWS::EC2::Subnet": 2}                     the second creation or update of that type from now on fails
    {"faults": [
      {"resource": "AWS::EC2::Subnet", "on": "delete", "nth": 1, "times": 1, "logical_id": "A", "message": "no"},
      {"call": "ec2.RunInstances", "do": "fail", "code": "InsufficientInstanceCapacity", "message": "none left"},
      {"call": "ssm.GetParameter", "do": "throttle", "times": 2},
      {"call": "s3.PutObject", "do": "slow", "seconds": 3}]}

`on` is create (the default), update or delete. `do` is fail (400 with `code` and `message`), throttle (ThrottlingException,
which clients try again), error (500), slow (answers after `seconds`), timeout (not done; the connection ends after `seconds`,
70 by default, which is longer than botocore waits) or lost (done, and the connection ends without the answer). A fault
strikes at the `nth` match (from 1) and `times` times from then on (1 by default, 0 for ever). The engine's own calls are met
too. What is armed is not kept over a restart.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, fields
from typing import Any

from bootstrap.local.aws.server import operations, requests
from bootstrap.local.aws.server.requests import Environ, Response

ON = ("create", "update", "delete")
DO = ("fail", "throttle", "error", "slow", "timeout", "lost")
RESOURCE_MESSAGE = "a fault that was asked for (InternalFailure)"


class Wrong(ValueError):
    """A fault that cannot be armed; the text says why."""


@dataclass
class Fault:
    """One armed fault: of a `call` or of a `resource`; `met` counts its matches."""

    call: str = ""
    resource: str = ""
    do: str = "fail"
    on: str = ""
    nth: int = 1
    times: int = 1
    code: str = "InternalFailure"
    message: str = "a fault that was asked for"
    seconds: float = 70.0
    logical_id: str = ""
    met: int = 0

    def strikes(self) -> bool:
        """Count one match; whether it is one that fails."""
        self.met += 1
        return self.met >= self.nth and (self.times == 0 or self.met < self.nth + self.times)


class Faults:
    """What is armed in one cloud; not kept over a restart."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, asked: dict[str, Any]) -> None:
        """Arm what is asked in the place of everything before; raises Wrong and changes nothing."""
        if "faults" in asked:
            made = [_fault(one) for one in asked["faults"]]
        else:
            made = [_fault({"resource": kind, "on": "", "nth": count}) for kind, count in asked.items()]
        with self._lock:
            self._armed = made

    def shown(self) -> list[dict[str, Any]]:
        """Every armed fault, with how often it was met."""
        with self._lock:
            return [dict(vars(fault)) for fault in self._armed]

    def resource_message(self, kind: str, on: str, logical_id: str) -> str | None:
        """The message of the fault that strikes at this step of a resource, or None."""
        with self._lock:
            struck = [fault for fault in self._armed if _is_step(fault, kind, on, logical_id) and fault.strikes()]
        if not struck:
            return None
        return RESOURCE_MESSAGE if struck[0].message == Fault.message else struck[0].message

    def request(self, environ: Environ) -> Response | None:
        """The answer of the fault that strikes at this request, or None; sleeps for a slow one. Raises ConnectionError."""
        if not any(fault.call for fault in self._armed):
            return None
        struck = self._struck(environ)
        if struck is None:
            return None
        if struck.do == "slow":
            time.sleep(struck.seconds)
            return None
        if struck.do == "timeout":
            time.sleep(struck.seconds)
            raise ConnectionAbortedError(struck.message)
        if struck.do == "lost":
            environ["bootstrap.lost"] = True
            return None
        return _answer(environ, struck)

    def _struck(self, environ: Environ) -> Fault | None:
        body = requests.read_body(environ)
        name = operations.name_of(environ, body)
        with self._lock:
            found = [fault for fault in self._armed if fault.call == name and fault.strikes()]
        return found[0] if found else None


def _is_step(fault: Fault, kind: str, on: str, logical_id: str) -> bool:
    at = fault.on == on or (not fault.on and on != "delete")
    return fault.resource == kind and at and fault.logical_id in ("", logical_id)


def _answer(environ: Environ, fault: Fault) -> Response:
    from bootstrap.local.aws.server.door import error_response

    if fault.do == "throttle":
        return error_response(environ, 400, "ThrottlingException", "Rate exceeded")
    return error_response(environ, 500 if fault.do == "error" else 400, fault.code, fault.message)


def _fault(asked: dict[str, Any]) -> Fault:
    unknown = sorted(set(asked) - {field.name for field in fields(Fault)} | set(asked) & {"met"})
    if unknown:
        raise Wrong(f"a fault has no {', '.join(unknown)}")
    fault = Fault(**asked)
    if bool(fault.call) == bool(fault.resource):
        raise Wrong("a fault has either a call or a resource")
    if fault.call:
        fault.call = operations.known(fault.call)
    elif "on" not in asked:
        fault.on = "create"
    if fault.do not in DO or fault.on not in ("", *ON) or fault.nth < 1 or fault.times < 0:
        raise Wrong(f"do is one of {', '.join(DO)}; on is one of {', '.join(ON)}; nth counts from 1")
    return fault
