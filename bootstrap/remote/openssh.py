"""OpenSSH's own client for the person at the terminal, with the same key and the same host keys as the toolkit's connection.

OpenSSH takes keys from files only: they lie in a directory of the user's alone, for as long as the session lasts. Where the
machine is not reached by plain TCP, OpenSSH is given a port of the loopback that leads along the toolkit's own way.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.remote.forwarding import Forwarding, Stream
from bootstrap.values import Machine


@contextmanager
def make_client_command(machine: Machine, dial: Callable[[], Stream] | None = None) -> Iterator[list[str]]:
    """The command that opens a session on `machine`; append a command to run one there.

    `dial` opens a stream to the machine's sshd; without it OpenSSH connects to the machine's address.
    """
    with contextlib.ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bootstrap-ssh-")))
        key, known = folder / "key", folder / "known_hosts"
        key.touch(mode=0o600)
        key.write_text(machine.private_key.reveal().rstrip() + "\n")
        known.write_text("".join(f"{machine.instance_id} {line}\n" for line in machine.host_keys))
        address, port = machine.address, machine.port
        if dial is not None:
            address, port = "127.0.0.1", exits.enter_context(_lead_port(dial))
        # Host keys are known by the instance, whatever address leads to it.
        yield [
            *("ssh", "-F", "none", "-i", str(key), "-p", str(port)),
            *("-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", f"HostKeyAlias={machine.instance_id}", f"{machine.user}@{address}"),
        ]


@contextmanager
def _lead_port(dial: Callable[[], Stream]) -> Iterator[int]:
    """A port of the loopback that leads where `dial` does; the first stream is opened now, so that its failure is told."""
    opened = [dial()]
    waiting = list(opened)

    def lead(_: object) -> Stream:
        if waiting:
            return waiting.pop()
        opened.append(dial())
        return opened[-1]

    forwarding = Forwarding(lead)
    try:
        yield forwarding.port
    finally:
        forwarding.close()
        for stream in waiting:
            stream.close()
    for stream in opened:
        refusal: BaseException | None = getattr(stream, "refusal", None)
        if refusal is not None:  # OpenSSH only saw that its connection ended
            raise refusal
