"""The server of the local cloud over real machines, which a test kills and starts again; no environment is launched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import waiting
from trial import NETWORK

from bootstrap.local.aws.access.keys import CREDENTIALS, TOKEN, read_operator_keys

ROOT = Path(__file__).parents[2]
NAME = f"instances{os.getpid()}"
PREFIX = NETWORK.rpartition(".0.0/")[0]
PATIENCE = 300.0


class Cloud:
    """The server over real machines."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the port that it had before if any."""
        import socket

        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        ready = self.state / "endpoint.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(self.state), "--port", str(self.port)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen([*command, "--environment", NAME], cwd=ROOT, env=environ)
        wait_until(ready.exists)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it properly."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)

    def client(self, service: str) -> Any:
        keys = read_operator_keys(self.state / CREDENTIALS)
        assert keys is not None
        session = boto3.Session(keys.access_key, keys.secret_key, region_name="eu-central-1")
        return session.client(service, endpoint_url=f"http://127.0.0.1:{self.port}")

    def control(self, path: str, asked: Any) -> None:
        """Ask a control endpoint to change something."""
        headers = {"Authorization": f"Bearer {(self.state / TOKEN).read_text()}"}
        address = f"http://127.0.0.1:{self.port}/_bootstrap/{path}"
        request = urllib.request.Request(address, data=json.dumps(asked).encode(), headers=headers)
        urllib.request.urlopen(request, timeout=30).close()

    def states(self) -> dict[str, str]:
        """The state of every instance that is not terminated."""
        found = self.client("ec2").describe_instances()["Reservations"]
        every = {one["InstanceId"]: one["State"]["Name"] for reservation in found for one in reservation["Instances"]}
        return {instance: state for instance, state in every.items() if state != "terminated"}

    def await_state(self, wanted: str, *instances: str) -> None:
        wait_until(lambda: {self.states().get(one) for one in instances} == {wanted})


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait as long as machines need to boot."""
    waiting.wait_until(holds, PATIENCE)


def containers() -> dict[str, tuple[str, str, int]]:
    """The containers of the test by instance: id, state and when process 1 was started."""
    command = ["podman", "ps", "--all", "--format=json", "--filter", f"label=bootstrap.environment={NAME}"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout or "[]") or []
    prefix = f"bootstrap-{NAME}-"
    return {one["Names"][0].removeprefix(prefix): (one["Id"], one["State"], one["StartedAt"]) for one in listed}


def inside(instance: str, script: str) -> str:
    """What a line of shell prints in the machine of an instance."""
    command = ["podman", "exec", f"bootstrap-{NAME}-{instance}", "sh", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()
