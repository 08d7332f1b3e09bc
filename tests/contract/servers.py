"""The Jenkins under test: an emulator as it runs on a machine, and any Jenkins as an administrator and as nobody sees it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jenkins
import requests

from tests.contract.foreign import ADMIN, BASE, CREDENTIALS, SECRET

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = ROOT / "bootstrap" / "local" / "emulator"
# One folder for all emulators, since Python stores the compiled modules by their path.
LIBRARY = ROOT / ".bootstrap" / "tests" / "library"


def find_java() -> str | None:
    """JAVA_HOME of a Java that runs Groovy 2.4, or None."""
    named = os.environ.get("JAVA_HOME")
    candidates = [Path(named)] if named else []
    candidates += [
        Path(f"/usr/lib/jvm/java-{version}-openjdk-{arch}") for version in (25, 21, 17) for arch in ("amd64", "arm64")
    ]
    return next((str(path) for path in candidates if (path / "bin/java").exists()), None)


class Emulator:
    """A running emulator with a home, configuration and secrets of its own."""

    def __init__(self, root: Path, **variables: str) -> None:
        self.root, self.home, self.casc = root, root / "home", root / "casc.d"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = variables
        # The repositories of the tests are folders of this machine.
        self.arguments = ["-Dhudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT=true"]
        self.output: Any = None  # a file for what it writes to its standard output
        self.process: subprocess.Popen[str] | None = None
        self.said = ""
        self.casc.mkdir(parents=True)
        (root / "secrets").mkdir()
        LIBRARY.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (LIBRARY / "jenkins_emulator").symlink_to(os.path.relpath(EMULATOR, LIBRARY))
        (root / "secrets" / "ADMIN_PASSWORD").write_text(ADMIN + "\n")
        (root / "secrets" / "TOKEN_SECRET").write_text(SECRET)
        (self.casc / "10-base.yaml").write_text(BASE)
        (self.casc / "20-credentials.yaml").write_text(CREDENTIALS)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PYTHONPATH": str(LIBRARY),
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(self.root / "pycache")),
            "JAVA_HOME": find_java() or "",
            "JENKINS_HOME": str(self.home),
            "JENKINS_PORT": str(self.port),
            "CASC_JENKINS_CONFIG": str(self.casc),
            "SECRETS": str(self.root / "secrets"),
            "CASC_STRICT_SECRET_RESOLUTION": "true",
            "CASC_RELOAD_TOKEN": "reload-token",
            **self.variables,
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "jenkins_emulator", *self.arguments]
        self.process = subprocess.Popen(
            command, cwd=self.root, env=self.environment(), stdout=self.output, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise RuntimeError(f"exit {self.process.returncode}: {self.process.stderr.read()}")
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{self.url}/login", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the emulator did not answer")

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        self.said = self.process.communicate(timeout=30)[1]
        return self.process.returncode


class Server:
    """The Jenkins under test, as an administrator and as nobody."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = url.rstrip("/"), user, password
        self.client = jenkins.Jenkins(self.url, user, password, timeout=60)
        self.client.get_whoami()
        self.anonymous = requests.Session()
        self.session = requests.Session()
        self.session.auth = (user, password)
        crumb = self.session.get(f"{self.url}/crumbIssuer/api/json").json()
        self.session.headers[crumb["crumbRequestField"]] = crumb["crumb"]

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.url}/{path}", allow_redirects=False, timeout=60, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(f"{self.url}/{path}", allow_redirects=False, timeout=60, **options)

    def create(self, path: str, name: str, xml: str) -> requests.Response:
        return self.post(
            f"{path}createItem", params={"name": name}, data=xml.encode(), headers={"Content-Type": "application/xml"}
        )

    def until(self, what: Callable[[], Any], seconds: float = 90) -> Any:
        """Poll until the value is true; its last value."""
        deadline = time.monotonic() + seconds
        while not (value := what()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert value, "it did not happen in time"
        return value

    def begin(self, name: str, parameters: dict[str, str] | None = None) -> int:
        """Queue a build; its number once it runs."""
        item = self.client.build_job(name, parameters)
        return int(self.until(lambda: (self.client.get_queue_item(item).get("executable") or {}).get("number")))

    def finish(self, name: str, number: int) -> tuple[dict[str, Any], str]:
        """Wait for the end; the build and its console.

        `building` is false before the last line of the console is written; `inProgress` only after it.
        """
        self.until(lambda: not self.client.get_build_info(name, number)["inProgress"])
        return self.client.get_build_info(name, number), self.client.get_build_console_output(name, number)

    def run(self, name: str, parameters: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
        return self.finish(name, self.begin(name, parameters))
