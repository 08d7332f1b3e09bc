"""The local cloud as the command line meets it: started when it is needed, left running, found again.

`bring_up` prepares the machine, makes the image and starts the server; `attach` finds a server that a launch started, and
starts it again where it died (it remembers everything). The port is chosen once for an environment and kept, because the
machine knows it too. `open_for_plan` starts a server for one plan, before anything was launched.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.errors import LocalCloudFailed, StackMissing, UsageError
from bootstrap.local import address_conflicts, prerequisites
from bootstrap.values import Reporter

_START_SECONDS = 60.0
_END_SECONDS = 20.0
# The server's own process writes who it is, before it becomes the server: so one is never there that nobody knows.
_LAUNCHER = """
printf '{"pid": %d, "port": %d, "code": "%s"}' "$$" "$1" "$2" >"$3.new"
mv -f "$3.new" "$3"
shift 3
exec "$@"
"""


class LocalCloud:
    """One environment's cloud: its state folder and the server process over it.

    A transient one has no machines, and its server ends with this process, also when this process is killed.
    """

    def __init__(self, settings: Settings, state: Path, *, is_transient: bool = False) -> None:
        self.settings = settings
        self.state = state
        self._is_transient = is_transient
        self._process: subprocess.Popen[bytes] | None = None  # holds the pipe that keeps a transient server alive

    @property
    def port(self) -> int | None:
        """The port that was chosen for this environment, or None before the first start."""
        try:
            return int((self.state / "port").read_text())
        except (OSError, ValueError):
            return None

    @property
    def endpoint(self) -> str:
        """The URL for clients on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def make_machine_environment(self, subnet_cidr: str) -> dict[str, str]:
        """The variables with which a machine of that subnet reaches this cloud: through the subnet's own router."""
        url = f"http://{ipaddress.ip_network(subnet_cidr)[1]}:{self.port}"
        # Machines get their keys from the metadata service; on a busy host it may take longer than botocore's one second.
        patience = {"AWS_METADATA_SERVICE_TIMEOUT": "10", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "6"}
        return {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{url}/", **patience}

    def bring_up(self, report: Reporter, *, is_agreed: bool, ask: Callable[[str], bool] | None = None) -> None:
        """Make this machine a cloud: packages, the machines' image, the server."""
        prerequisites.ensure(report, is_agreed=is_agreed, ask=ask)
        prerequisites.ensure_root("starting the local cloud")
        from bootstrap.local.machines import Machines, ensure_image, namespaces

        namespaces.ensure()
        self.require_room()
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(self._removed, ignore_errors=True)  # of a destruction that was killed
        Machines(self.settings.name, self.state).require_namespaces()
        ensure_image(_report_once(report))
        self._ensure_server(report)

    def require_room(self) -> None:
        """LocalCloudFailed where the VPC's block is taken on this machine, before anything is made."""
        block = self.settings.network.cidr
        others = address_conflicts.find_conflicts(block, self.settings.name, self.state)
        if others:
            raise LocalCloudFailed(
                f"checking whether {block}, the network of '{self.settings.name}', is free on this machine",
                f"in use: {', '.join(others)}",
                "Choose another network.cidr in the environment file, or remove what uses it. Nothing was changed.",
            )

    def attach(self, report: Reporter) -> None:
        """Find the cloud that a launch made; StackMissing where there is none."""
        if self.port is None:
            raise StackMissing(
                f"looking for the environment '{self.settings.name}'",
                "nothing was launched on this machine",
                f"Run: ./bootstrap.py --environment {self.settings.name} launch",
            )
        prerequisites.ensure_root("reaching the local cloud")
        self._ensure_server(report)

    def start(self, report: Reporter) -> None:
        """Start the server of a transient cloud: nothing is installed, and it needs no root."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ensure_server(report)

    def stop(self) -> None:
        """Stop the server; its state stays. One that does not end is killed, for it remembers all that it has answered."""
        pid = self._read_running().get("pid")
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                deadline = time.monotonic() + _END_SECONDS
                while time.monotonic() < deadline:
                    os.kill(pid, 0)
                    time.sleep(0.1)
                os.kill(pid, signal.SIGKILL)

    @property
    def _mail_port(self) -> int | None:
        """Where the machines' mail is taken; None where the settings name another server."""
        return self.settings.mail_port if self.settings.is_mail_kept else None

    @property
    def _version(self) -> str:
        """What a running server must have been started with: this code and these settings."""
        settings = self.settings
        return f"{_compute_code_digest()}-{settings.region}-{self._mail_port}-{settings.mail_sender}-{settings.mail.sandbox}"

    @property
    def _removed(self) -> Path:
        return self.state.with_name(f"{self.state.name}.removed")

    def forget(self) -> None:
        """Remove the server's folder, all of it or none: a half of it would look like an environment."""
        shutil.rmtree(self._removed, ignore_errors=True)
        if self.state.exists():
            self.state.rename(self._removed)
        shutil.rmtree(self._removed, ignore_errors=True)

    def _ensure_server(self, report: Reporter) -> None:
        running = self._read_running()
        if running and running.get("code") != self._version:
            report.progress("the local cloud runs with older code or another setting: restarting it")
            self.stop()
            running = {}
        if running.get("is_stuck"):
            report.notice("the local cloud hangs in a call that does not end: starting it again")
            self.stop()
            running = {}
        if not running:
            self._start(report)

    def _read_running(self) -> dict[str, Any]:
        """What the server wrote about itself, where it answers; else nothing."""
        try:
            server: dict[str, Any] = json.loads((self.state / "server.json").read_text())
            os.kill(server["pid"], 0)
            with urllib.request.urlopen(f"http://127.0.0.1:{server['port']}/_bootstrap/health", timeout=5):
                return server
        except urllib.error.HTTPError as error:
            return server | {"is_stuck": error.code == HTTPStatus.SERVICE_UNAVAILABLE}  # it answers
        except (OSError, ValueError, KeyError):
            return {}

    def _start(self, report: Reporter) -> None:
        port = self.port or _find_free_port()
        (self.state / "port").write_text(str(port))
        begun = time.monotonic()
        command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(self.state), "--port", str(port)]
        command += ["--environment", self.settings.name, "--region", self.settings.region]
        if self._mail_port and not self._is_transient:
            command += ["--mail-port", str(self._mail_port), "--mail-sender", self.settings.mail_sender]
            command += ["--mail-sandbox"] if self.settings.mail.sandbox else []
        command += ["--no-machines", "--transient"] if self._is_transient else []
        known = ["sh", "-c", _LAUNCHER, "sh", str(port), self._version, str(self.state / "server.json")]
        log = self.state / "server.out"
        with log.open("ab") as out:
            self._process = process = subprocess.Popen(
                [*known, *command],
                stdin=subprocess.PIPE if self._is_transient else subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
                env=_make_environ(),
            )
        while not self._read_running():
            if process.poll() is not None or time.monotonic() - begun > _START_SECONDS:
                tail = "\n".join(log.read_text(errors="replace").strip().splitlines()[-10:])
                raise LocalCloudFailed("starting the local cloud", tail or "it printed nothing", f"Its log is {log}.")
            time.sleep(0.05)
        report.progress(f"the local cloud answers at {self.endpoint} after {time.monotonic() - begun:.1f} s")


def is_elsewhere(environment: str, state: Path) -> bool:
    """Whether AWS_ENDPOINT_URL names another cloud than the environment's own local one; `state` is the folder of all states.

    A shell that took the operator's keys ('cloud credentials') has the variable with the environment's own address. UsageError
    if the address is that of another environment of this checkout, and this one has a local cloud of its own: it is not clear
    which of them a command should change. Without one, the other's cloud is the account in which it is made.
    """
    url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    clouds = {path.parent.parent.name: path.read_text().strip() for path in state.glob("*/cloud/port")}
    named = next((name for name, port in clouds.items() if url == f"http://127.0.0.1:{port}"), None)
    if named is None or environment not in clouds:
        return bool(url)
    if named != environment:
        raise UsageError(
            f"opening the environment '{environment}'",
            f"the variable AWS_ENDPOINT_URL names the local cloud of the environment '{named}'",
            "Use another shell, or remove the variables: unset ${!AWS_@}",
        )
    return False


@contextlib.contextmanager
def open_for_plan(settings: Settings, state: Path, report: Reporter) -> Iterator[LocalCloud]:
    """A cloud without machines, for one plan of an environment that was never launched; nothing of it stays.

    `state` is where a launch would keep the environment's own cloud.
    """
    LocalCloud(settings, state).require_room()
    folder = Path(tempfile.mkdtemp(prefix="bootstrap-plan-"))
    cloud = LocalCloud(settings, folder, is_transient=True)
    try:
        cloud.start(report)
        yield cloud
    finally:
        cloud.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _report_once(report: Reporter) -> Callable[[str], None]:
    """The making of the image is told to everybody once, for it takes half a minute; its progress to those who watch."""
    said_texts: list[str] = []

    def report_text(text: str) -> None:
        if not said_texts:
            report.notice("making the image of the local cloud's machines from this machine's apt sources, once")
        said_texts.append(text)
        report.progress(text)

    return report_text


def _make_environ() -> dict[str, str]:
    """The server's environment: this process's, less any account's credentials, which it has no use for."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _compute_code_digest() -> str:
    """A digest of the local cloud's own code, so that a server of an older version is noticed."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        if "emulator" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
