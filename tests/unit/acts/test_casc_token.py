"""The toolkit's own token at Jenkins: it is added once, and nothing shows the password."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from bootstrap.acts import casc
from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.values import Controller, Secret


class TokenServer(BaseHTTPRequestHandler):
    """Jenkins' sign-in for one user: a password with session and crumb, and a set of tokens."""

    tokens: set[str]
    sends: list[str]

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self, status: int, document: object = "", **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _who(self) -> str:
        from base64 import b64decode

        text = self.headers.get("Authorization", "").removeprefix("Basic ")
        return b64decode(text).decode().partition(":")[2]

    def do_GET(self) -> None:
        is_token = self._who() in self.tokens
        if not is_token and self._who() != "secret":
            self._answer(401)
        elif self.path == "/me/api/json":
            self._answer(200, {"id": "toolkit"})
        else:
            crumb = {"crumb": "c" * 64, "crumbRequestField": "Jenkins-Crumb"}
            self._answer(200, crumb, Set_Cookie="JSESSIONID.0a=1; Path=/")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        has_crumb = self.headers.get("Jenkins-Crumb") == "c" * 64 and "JSESSIONID.0a=1" in self.headers["Cookie"]
        if self._who() != "secret" or not has_crumb:
            self._answer(403)
        elif self.path.endswith("/addFixedToken"):
            self.tokens.add(form["newTokenPlainValue"][0])
            self._answer(200, {"status": "ok", "data": {"tokenUuid": "u-1"}})
        else:
            self.sends.append(f"{self.path.rpartition('/')[2]} {form['tokenUuid'][0]}")
            self._answer(200)


@pytest.fixture
def token_server() -> Iterator[HTTPServer]:
    TokenServer.tokens, TokenServer.sends = set(), []
    server = HTTPServer(("127.0.0.1", 0), TokenServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def controller(password: str) -> Controller:
    token = Secret("11" + "a" * 32)
    return Controller("https://x/", "toolkit", Secret(password), token, "2.568.2", False, "")


def test_a_missing_token_is_added_once_and_older_ones_are_revoked(token_server: HTTPServer) -> None:
    url = f"http://127.0.0.1:{token_server.server_port}/"

    assert [True, False] == [casc.ensure_token(url, controller("secret")) for _ in range(2)]
    assert ({"11" + "a" * 32}, ["revokeAllExcept u-1"]) == (TokenServer.tokens, TokenServer.sends)


def test_a_connection_that_breaks_before_the_answer_is_told(token_server: HTTPServer) -> None:
    token_server.shutdown()
    token_server.server_close()

    with pytest.raises(Unreachable, match="giving the user 'toolkit' its API token"):
        casc.ensure_token(f"http://127.0.0.1:{token_server.server_port}/", controller("secret"))


def test_a_wrong_password_is_told_without_showing_it(token_server: HTTPServer) -> None:
    url = f"http://127.0.0.1:{token_server.server_port}"

    with pytest.raises(BootstrapError) as caught:
        casc.ensure_token(url, controller("wrong"))

    assert "Jenkins answered 401" in caught.value.found
    assert "wrong" not in str(caught.value)
