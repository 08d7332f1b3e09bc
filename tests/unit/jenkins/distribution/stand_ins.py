"""Stand-ins for what a distribution comes from: a web server on the loopback, and a signing key of the tests' own."""

import contextlib
import http.server
import io
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock, lock_files, resolve
from bootstrap.jenkins.distribution.needs import Needs
from bootstrap.values import Change

ROOT = Path(__file__).resolve().parents[4]
VERSION = "2.568.2"
WAR = f"/war-stable/{VERSION}/jenkins.war"
WAR_CONTENT = os.urandom(300_000)


@dataclass
class Recorder:
    """A reporter that remembers."""

    notices: list[str] = field(default_factory=list)

    def change(self, change: Change) -> None:
        raise AssertionError(f"a distribution changes nothing: {change}")

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        self.notices.append(text)


class SigningKey:
    """An OpenPGP key in a home of its own."""

    def __init__(self, name: str) -> None:
        # Not below pytest's folder: the path of the agent's socket may have 107 characters at most.
        self.home = Path(tempfile.mkdtemp(prefix="signing-"))
        self.gpg("--passphrase", "", "--quick-gen-key", f"{name} <{name}@localhost>", "ed25519", "sign", "never")
        listing = self.gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))
        self.public = self.gpg("--armor", "--export")

    def gpg(self, *arguments: str, stdin: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--no-tty", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def sign(self, content: bytes) -> bytes:
        return self.gpg("--armor", "--detach-sign", "--output", "-", "-", stdin=content)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=True)
        shutil.rmtree(self.home, ignore_errors=True)


def plugin(name: str, version: str, needs: str = "", core: str = "2.541.1") -> bytes:
    """A plugin file with the manifest that Jenkins' build writes, its long lines folded at 70 characters."""
    dependencies = f"Plugin-Dependencies: {needs}" if needs else ""
    folded = "\r\n ".join(dependencies[i : i + 70] for i in range(0, len(dependencies), 70))
    lines = ["Manifest-Version: 1.0", f"Short-Name: {name}", f"Plugin-Version: {version}", f"Jenkins-Version: {core}"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "\r\n".join([*lines, folded] if folded else lines) + "\r\n\r\n")
    return content.getvalue()


def write_table(path: Path, rows: Mapping[str, Needs]) -> None:
    """A table of needs with these rows, each with its record."""
    path.write_text("# what they need\nzzz: {version: '0', needs: {}}\n")
    lock_files.record_needs(path, rows)
    document = lock_files.read(path)
    lock_files.remove(document, "zzz")
    lock_files.write({path: document})


class Mirror:
    """A web server of small files that can break a connection and knows what was asked of it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []  # path, Range header
        self.cut: dict[str, int] = {}  # path: bytes after which the connection breaks, once
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "")
        self.asked.append((request.path, wanted))
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        rest = content[begin:]
        request.send_response(206 if wanted else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        with contextlib.suppress(ConnectionError):  # the probe reads no further than the headers
            request.wfile.write(rest[: self.cut.pop(request.path, len(rest))])

    def loads(self) -> list[str]:
        """The paths of what was asked for, without repetitions."""
        return sorted({path for path, _ in self.asked})


def mirrored(mirror: Mirror, fallback: str = "none") -> JenkinsSettings:
    return JenkinsSettings.model_validate({"source": "mirror", "mirror": mirror.url, "fallback": fallback})


def filed(folder: Path) -> JenkinsSettings:
    return JenkinsSettings(source="file", file=str(folder / "jenkins.war"))


def refusal(settings: JenkinsSettings, lock: Path, cache: Path) -> DistributionFailed:
    with pytest.raises(DistributionFailed) as raised:
        resolve(settings, load_lock(lock), cache, Recorder())
    return raised.value


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
