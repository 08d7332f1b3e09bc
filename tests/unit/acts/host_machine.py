"""A machine that answers the host act, and the inputs of one."""

import json
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.remote import program
from bootstrap.remote.desired.inputs import Bundle, HostInputs, Software
from bootstrap.values import Result, Secret

ARTIFACT = "e" * 64
INPUTS = HostInputs(
    settings=Settings.model_validate({"environment": "local", "cloud": "local", "owner": "me", "cost_center": "none"}),
    instance_id="i-1",
    data_volume_id="vol-1",
    url="https://10.0.0.1/",
    software=Software("emulator", "2.1", {}, emulator=Bundle(ARTIFACT, {})),
    secrets={"TOOLKIT_PASSWORD": Secret("#jbcrypt:x")},
    toolkit_password=Secret("pass"),
    toolkit_token=Secret("0" * 32),
    certificate="",
    certificate_key=Secret(""),
    authority="the authority",
    casc_files={},
)


def changed(identity: str = "b", *, moved: bool = False) -> dict[str, Any]:
    return {
        "id": identity,
        "changed": True,
        "failed": False,
        "kind": "alter",
        "detail": "mode",
        "desired_changed": moved,
    }


def answer(*results: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"results": list(results), "missing": [], "notes": [], "not_reached": [], **parts}


class Machine:
    """A shell that gives the answers in turn, by mode, and refuses every other command."""

    def __init__(self, **answers: dict[str, Any] | str | Exception) -> None:
        self.answers = answers
        self.steps: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.documents: dict[str, dict[str, Any]] = {}
        self.drain: dict[str, Any] = {}
        self.timeout: float | None = None

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        assert sudo
        if tuple(command) != program.COMMAND:
            self.asked.append(" ".join(command))
            return Result("", 0, "", "")
        length, _, rest = stdin.partition(b"\n")
        document = json.loads(zlib.decompress(rest[int(length) :]))
        self.asked.append(document["mode"])
        self.documents[document["mode"]] = document
        self.drain, self.timeout = document["drain"], timeout
        given = self.answers[document["mode"]]
        if isinstance(given, Exception):
            raise given
        for step in self.steps if document["mode"] != "check" and hear else ():
            hear("noise")
            hear(f"{document['marker']} {json.dumps(step)}")
        said = given if isinstance(given, str) else f"\n{document['marker']}\n{json.dumps(given)}\n"
        return Result("python3", 0 if said else 1, said, "sudo: a password is required")

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        assert sudo
        self.asked.append(f"put {path} {mode:o}")

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        raise AssertionError("not needed")

    def close(self) -> None:
        raise AssertionError("not ours to close")
