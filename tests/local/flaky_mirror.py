"""An HTTP proxy for apt that has no package to give for the first two times; it runs on the machine, on its loopback.

`python3 flaky_mirror.py PORT LOG [UPSTREAM]`: each request for a package is a line of LOG with the status it got.
"""

import http.server
import sys
import urllib.error
import urllib.request
from pathlib import Path

FAILURES = 2
PORT, LOG, *UPSTREAM = sys.argv[1:]
through = urllib.request.build_opener(urllib.request.ProxyHandler({"http": UPSTREAM[0]} if UPSTREAM else {}))
asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    """One request of apt."""

    def do_GET(self):
        """Pass it on, unless it is for a package and too early."""
        if self.path.endswith(".deb"):
            asked.append(self.path)
            if len(asked) <= FAILURES:
                self.answer(404, b"")
                return
        try:
            with through.open(urllib.request.Request(self.path), timeout=60) as found:
                self.answer(found.status, found.read())
        except urllib.error.HTTPError as refused:
            self.answer(refused.code, b"")

    def answer(self, status, body):
        """Answer, and say so."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path.endswith(".deb"):
            with Path(LOG).open("a") as log:
                log.write(f"{status}\n")


http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Handler).serve_forever()
