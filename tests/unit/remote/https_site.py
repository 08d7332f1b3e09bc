"""A web site with HTTPS on the loopback, whose certificate is of an authority of the tests' own."""

from __future__ import annotations

import datetime
import http.server
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.cloud import certificates


@dataclass
class Site:
    """What the site has, and what it was asked: path and Range of each request, and the user of the client."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirections: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    users: set[int] = field(default_factory=set)
    cut: int | None = None  # bytes after which each connection breaks
    pause: float = 0.0  # seconds after each block
    port: int = 0
    authority: str = ""

    def url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.port}{path}"


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """The site, for as long as the context is open."""
    site = Site()
    subjects = certificates.Subjects((), ("127.0.0.1",), "127.0.0.0/8")
    issued, _ = certificates.issue(None, None, subjects, datetime.datetime.now(datetime.UTC))
    (folder / "site.pem").write_text(issued.chain_pem + issued.key.reveal())
    site.authority = issued.authority_pem
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(folder / "site.pem")
    server.socket = trust.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


_ESTABLISHED = "01"


def _user_of(port: int, server: int) -> int:
    """The user who has the open connection from this port to that of the server, on the loopback.

    Others may have the port, too: to another server, or one that is closed and that the kernel lists as root's.
    """
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        ends = [int(columns[index].rpartition(":")[2], 16) for index in (1, 2)]
        if ends == [port, server] and columns[3] == _ESTABLISHED:
            return int(columns[7])
    return -1


def _handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers.get("Range", "")))
            site.users.add(_user_of(self.client_address[1], self.server.server_address[1]))
            if self.path in site.redirections:
                self.send_response(302)
                self.send_header("Location", site.redirections[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path not in site.files:
                self.send_error(404)
            else:
                self._send(site.files[self.path])

        def _send(self, content: bytes) -> None:
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            begin = int(match.group(1)) if match else 0
            self.send_response(206 if match else 200)
            if match:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            end = len(content) if site.cut is None else min(len(content), begin + site.cut)
            for at in range(begin, end, 1 << 16):
                self.wfile.write(content[at : min(at + (1 << 16), end)])
                time.sleep(site.pause)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    return Handler
