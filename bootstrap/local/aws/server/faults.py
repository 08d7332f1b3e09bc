"""Injects faults on demand: calls that fail, are throttled or slow, or get no answer, and resources that fail.

`POST /_bootstrap/faults` replaces all armed faults; `{}` removes them. `GET` shows them, with the number of their matches.

    {"AWS::EC2::Subnet": 2}                     the second creation or update of that type from now on fails
    {"faults": [
      {"resource": "AWS::EC2::Subnet", "on": "delete", "nth": 1, "times": 1, "logical_id": "A", "message": "no"},
      {"call": "ec2.RunInstances", "do": "fail", "code": "InsufficientInstanceCapacity", "message": "none left"},
      {"call": "ssm.GetParameter", "do": "throttle", "times": 2},
      {"call": "s3.PutObject", "do": "slow", "seconds": 3}]}

`on` is create (the default), update or delete. `do` is one of:

    fail        status 400 with `code` and `message`
    throttle    ThrottlingException, after which clients repeat the call
    error       status 500
    slow        the call is done after `seconds`
    timeout     the call is not done; the connection ends after `seconds` (70 by default, longer than botocore waits)
    lost        the call is done; the connection ends without the answer

A fault applies to the `nth` match (counted from 1) and to the next ones, `times` in all (1 by default; 0 is without end). Calls
of the engine match too. A restart removes all faults.
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
RESOURCE_MESSAGE = "an injected fault (InternalFailure)"


class InvalidFault(ValueError):
    """A fault cannot be armed; the text says why."""


@dataclass
class Fault:
    """One armed fault, of a `call` or of a `resource`; `met` is the number of its matches so far."""

    call: str = ""
    resource: str = ""
    do: str = "fail"
    on: str = ""
    nth: int = 1
    times: int = 1
    code: str = "InternalFailure"
    message: str = "an injected fault"
    seconds: float = 70.0
    logical_id: str = ""
    met: int = 0

    def count_match(self) -> bool:
        """Count one match; returns whether the fault applies to it."""
        self.met += 1
        return self.met >= self.nth and (self.times == 0 or self.met < self.nth + self.times)


class Faults:
    """The armed faults of one local cloud; a restart removes them."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, body: dict[str, Any]) -> None:
        """Replace all armed faults by those of the body of a POST. Raises InvalidFault, and then changes nothing."""
        if "faults" in body:
            faults = [_parse_fault(fault) for fault in body["faults"]]
        else:
            faults = [_parse_fault({"resource": kind, "on": "", "nth": count}) for kind, count in body.items()]
        with self._lock:
            self._armed = faults

    def list_armed(self) -> list[dict[str, Any]]:
        """All armed faults as dictionaries, with the number of their matches as `met`."""
        with self._lock:
            return [dict(vars(fault)) for fault in self._armed]

    def find_resource_message(self, kind: str, on: str, logical_id: str) -> str | None:
        """The message of the fault that applies to this step of a resource, or None; counts the match."""
        with self._lock:
            matches = [
                fault for fault in self._armed if _matches_step(fault, kind, on, logical_id) and fault.count_match()
            ]
        if not matches:
            return None
        return RESOURCE_MESSAGE if matches[0].message == Fault.message else matches[0].message

    def find_answer(self, environ: Environ) -> Response | None:
        """The answer of the fault that applies to this request, or None; counts the match.

        It waits if the fault is slow, and marks the request if its answer must be lost. Raises ConnectionError for a timeout.
        """
        if not any(fault.call for fault in self._armed):
            return None
        match = self._find_match(environ)
        if match is None:
            return None
        if match.do == "slow":
            time.sleep(match.seconds)
            return None
        if match.do == "timeout":
            time.sleep(match.seconds)
            raise ConnectionAbortedError(match.message)
        if match.do == "lost":
            environ["bootstrap.lost"] = True
            return None
        return _make_response(environ, match)

    def _find_match(self, environ: Environ) -> Fault | None:
        body = requests.read_body(environ)
        name = operations.find_operation(environ, body)
        with self._lock:
            matches = [fault for fault in self._armed if fault.call == name and fault.count_match()]
        return matches[0] if matches else None


def _matches_step(fault: Fault, kind: str, on: str, logical_id: str) -> bool:
    is_step = fault.on == on or (not fault.on and on != "delete")
    return fault.resource == kind and is_step and fault.logical_id in ("", logical_id)


def _make_response(environ: Environ, fault: Fault) -> Response:
    from bootstrap.local.aws.server.door import make_error_response

    if fault.do == "throttle":
        return make_error_response(environ, 400, "ThrottlingException", "Rate exceeded")
    return make_error_response(environ, 500 if fault.do == "error" else 400, fault.code, fault.message)


def _parse_fault(values: dict[str, Any]) -> Fault:
    unknown = sorted(set(values) - {field.name for field in fields(Fault)} | set(values) & {"met"})
    if unknown:
        raise InvalidFault(f"a fault has no key {', '.join(unknown)}")
    fault = Fault(**values)
    if bool(fault.call) == bool(fault.resource):
        raise InvalidFault("a fault has either a call or a resource")
    if fault.call:
        fault.call = operations.convert_name(fault.call)
    elif "on" not in values:
        fault.on = "create"
    if fault.do not in DO or fault.on not in ("", *ON) or fault.nth < 1 or fault.times < 0:
        raise InvalidFault(f"do is one of {', '.join(DO)}; on is one of {', '.join(ON)}; nth counts from 1")
    return fault
