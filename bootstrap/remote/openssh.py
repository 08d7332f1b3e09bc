"""OpenSSH's own client for the person at the terminal, with the same key and the same host keys as the toolkit's connection.

OpenSSH takes keys from files only: they lie in a directory of the user's alone, for as long as the session lasts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.values import Machine


@contextmanager
def client(machine: Machine) -> Iterator[list[str]]:
    """The command that opens a session on `machine`; append a command to run one there."""
    with tempfile.TemporaryDirectory(prefix="bootstrap-ssh-") as folder:
        key, known = Path(folder) / "key", Path(folder) / "known_hosts"
        key.touch(mode=0o600)
        key.write_text(machine.private_key.reveal().rstrip() + "\n")
        known.write_text(
            "".join(
                f"[{machine.address}]:{machine.port} {line}\n{machine.address} {line}\n" for line in machine.host_keys
            )
        )
        yield [
            *("ssh", "-F", "none", "-i", str(key), "-p", str(machine.port)),
            *("-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"),
            f"{machine.user}@{machine.address}",
        ]
