"""OpenSSH's client for one agent: its command line without secrets, its private files, and what its messages mean."""

from __future__ import annotations

import base64
import hashlib
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .settings import KNOWN_HOSTS, MANUALLY_PROVIDED, MANUALLY_TRUSTED, NON_VERIFYING, Connector

PROGRAM = "ssh"
AUTHENTICATED = "Authenticated to "
_KEY, _HOSTS = "key", "known_hosts"
_ALIVE_SECONDS, _ALIVE_COUNT = 60, 4  # a silent machine is given up after five minutes, as Jenkins' ping does
_AGENT = "agent.pyz"


@dataclass(frozen=True)
class Login:
    """Who logs in where; `host` is a name for the host in the file of known hosts."""

    host: str
    address: str
    user: str
    private_key: str


class Files:
    """The private files of one connection."""

    def __init__(self, folder: Path) -> None:
        self.key, self.hosts = folder / _KEY, folder / _HOSTS

    def read_host_key(self) -> str:
        """The key that the client wrote into the file of known hosts, as algorithm and base64; empty if there is none."""
        lines = self.hosts.read_text(encoding="utf-8").splitlines()
        return " ".join(lines[-1].split()[1:3]) if lines else ""


@contextmanager
def private_files(login: Login, known: str) -> Iterator[Files]:
    """Write the private key and the known host key into a folder that only this user may enter; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="jenkins-ssh-"))
    try:
        files = Files(folder)
        files.key.touch(0o600)
        files.key.write_text(login.private_key.strip() + "\n", encoding="utf-8")
        files.hosts.write_text(f"{login.host} {known}\n" if known else "", encoding="utf-8")
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def choose_known_key(connector: Connector, trusted: str) -> str:
    """The host key that is known before the connection; `trusted` is the one that was seen first on this node."""
    return {MANUALLY_PROVIDED: connector.key, MANUALLY_TRUSTED: trusted}.get(connector.strategy, "")


def make_command(connector: Connector, login: Login, files: Files, words: str) -> list[str]:
    """The command line that runs `words` on the agent. It reads no file of configuration, and asks no key agent."""
    learns = connector.strategy == MANUALLY_TRUSTED and not connector.needs_trust
    checking = "no" if connector.strategy == NON_VERIFYING else "accept-new" if learns else "yes"
    options = {
        "BatchMode": "yes",
        "CheckHostIP": "no",
        "ConnectTimeout": f"{int(connector.timeout)}",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": login.host,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "LogLevel": "VERBOSE",
        "PreferredAuthentications": "publickey",
        "ServerAliveCountMax": f"{_ALIVE_COUNT}",
        "ServerAliveInterval": f"{_ALIVE_SECONDS}",
        "StrictHostKeyChecking": checking,
        "UpdateHostKeys": "no",
        "UserKnownHostsFile": str(files.hosts),
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    place = ["-p", f"{connector.port}", "-l", login.user, "-i", str(files.key)]
    return [PROGRAM, "-F", "none", "-T", "-a", "-x", *settings, *place, "--", login.address, words]


def make_start(connector: Connector, folder: str, size: int) -> tuple[str, str]:
    """What runs on the agent, and the part of it that Jenkins' log shows.

    The first `size` bytes of the input are the agent's program, which is put into its folder; then it starts.
    """
    place = shlex.quote(folder)
    start = f"{connector.prefix}cd {place} && python3 {_AGENT}{connector.suffix}"
    copy = f"mkdir -p -m 0700 {place} && head -c {size} >{place}/{_AGENT} || exit 1"
    return f"{copy}\n{start}", start


def describe_failure(connector: Connector, told: list[str]) -> list[str]:
    """The lines of Jenkins' log for the messages with which the client gave up before it was let in."""
    text = "\n".join(told)
    if "Host key verification failed" in text:
        closed = "Key exchange was not finished, connection is closed."
        return [closed] if connector.strategy == KNOWN_HOSTS else [describe_distrust(connector), closed]
    if "Permission denied" in text:
        return ["{} [SSH] Authentication failed.", "Authentication failed."]
    for words in ("Connection refused", "Connection timed out", "No route to host", "Network is unreachable"):
        if words in text:
            return [words]
    return told[-1:] or ["the SSH client ended without a message"]


def describe_distrust(connector: Connector) -> str:
    """The line about a host key that the strategy refuses; '{}' stands for the time."""
    if connector.strategy == MANUALLY_PROVIDED:
        return (
            "{} [SSH] WARNING: The SSH key for this host does not match the key required in the connection configuration. "
            "Connections will be denied until the host key matches the configuration key."
        )
    return (
        "{} [SSH] WARNING: The SSH key for this host is not currently trusted. "
        "Connections will be denied until this new key is authorised."
    )


def describe_trust(connector: Connector, trusted: str, seen: str) -> str:
    """The line about a host key that the strategy accepts; `seen` is the key, `trusted` the one known before."""
    if connector.strategy == MANUALLY_PROVIDED:
        return "{} [SSH] SSH host key matched the key required for this connection. Connection will be allowed."
    if connector.strategy == NON_VERIFYING:
        return (
            "{} [SSH] WARNING: SSH Host Keys are not being verified. "
            "Man-in-the-middle attacks may be possible against this connection."
        )
    if trusted:
        return "{} [SSH] SSH host key matches key seen previously for this host. Connection will be allowed."
    digest = hashlib.md5(base64.b64decode(seen.split()[1]), usedforsecurity=False).hexdigest() if seen else ""
    shown = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return f"{{}} [SSH] The SSH key with fingerprint {shown} has been automatically trusted for connections to this machine."
