"""A connection that is cut at any byte, on the way there or back, while the machine is converged."""

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sshd as server_module
from sshd import Sshd

from bootstrap.errors import Unreachable
from bootstrap.remote import program
from bootstrap.remote.shell import FabricShell

SEED = 20
CUTS = 12


class Way:
    """A way to a server that ends after so many bytes, counted both ways together; None for never."""

    def __init__(self, port: int, most: int | None) -> None:
        self.port = port
        self.most = most
        self.passed = 0
        self.was_cut = False
        self._lock = threading.Lock()

    def dial(self) -> socket.socket:
        """A stream over it; only the first is ever cut."""
        ours, near = socket.socketpair()
        far = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        most, self.most = self.most, None
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink, most), daemon=True).start()
        return ours

    def _carry(self, source: socket.socket, sink: socket.socket, most: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                with self._lock:
                    room = len(data) if most is None else max(0, most - self.passed)
                    self.passed += min(len(data), room)
                sink.sendall(data[:room])
                if room < len(data):
                    self.was_cut = True
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with server_module.running() as running:
        yield running


def wished(folder: Path) -> list[dict[str, Any]]:
    content = random.Random(SEED).randbytes(20_000).hex()
    return [
        {"id": f"f{n}", "kind": "file", "path": str(folder / f"f{n}"), "content": content + str(n)} for n in range(12)
    ]


def converge(sshd: Sshd, way: Way, resources: list[dict[str, Any]]) -> list[str] | None:
    """What a converge over this way changed, or None where it was cut off."""
    shell = FabricShell(sshd.machine(), patience=30, dial=way.dial)
    stdin, marker = program.make_request("apply", resources, lock=f"{Path(resources[0]['path']).parent}.lock")
    try:
        done = shell.run(program.COMMAND, stdin=stdin, hear=lambda _: None, check=False)
        return [str(it["id"]) for it in program.parse_answer(done.stdout, marker)["results"] if it["changed"]]
    except (Unreachable, program.NoAnswer) as error:
        if isinstance(error, Unreachable):
            assert "Run the same command again" in error.remedy
        return None
    finally:
        shell.close()


def test_a_converge_that_is_cut_at_a_random_byte_is_gone_on_from(sshd: Sshd, tmp_path: Path) -> None:
    whole = Way(sshd.port, None)
    assert len(converge(sshd, whole, wished(tmp_path)) or ()) == 12
    places = random.Random(SEED)
    cut = 0
    for number in range(CUTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        resources = wished(folder)
        way = Way(sshd.port, places.randrange(whole.passed))
        converge(sshd, way, resources)
        cut += way.was_cut
        assert None is not converge(sshd, Way(sshd.port, None), resources)
        assert {it["path"]: it["content"] for it in resources} == {str(p): p.read_text() for p in folder.iterdir()}
        assert [] == converge(sshd, Way(sshd.port, None), resources)
    assert cut >= CUTS // 2
