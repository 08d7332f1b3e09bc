"""Nobody keeps others out: large and slow requests, floods of passwords; and no answer tells more than it should."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from trial import Launched

from bootstrap.jenkins.controller.api import ask, expect

PATIENCE = 90.0  # seconds: no measure of speed, but an end
BOUND = 45.0  # in which somebody with the right password is answered under a flood, also where the machine is busy
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
WAITING_JOB = "<project><assignedNode>nowhere</assignedNode><canRoam>false</canRoam></project>"


@pytest.fixture
def server(launched: Launched) -> str:
    """Jenkins itself, at this end of the tunnel, without a slash at its end."""
    return str(launched.context.jenkins.server).rstrip("/")


@pytest.fixture
def connect(launched: Launched) -> Iterator[Callable[[], ssl.SSLSocket]]:
    """Makes a connection to the proxy, as anybody in the operators' network can; all are closed in the end."""
    context = ssl.create_default_context(cadata=launched.context.controller.authority)
    address, name = launched.context.machine.address, urlsplit(launched.context.url).hostname
    with contextlib.ExitStack() as stack:

        def make() -> ssl.SSLSocket:
            plain = socket.create_connection((address, 443), timeout=PATIENCE)
            return stack.enter_context(context.wrap_socket(plain, server_hostname=name))

        yield make


def answers(launched: Launched) -> bool:
    """Whether the toolkit's own client is served."""
    return ask(launched.context.jenkins, "GET", "api/json", params={"tree": "mode"}).status_code == 200


def status_of(stream: socket.socket) -> int:
    """The status of what comes back; 0 where the connection only ends."""
    with contextlib.suppress(ConnectionError):
        return int([*stream.recv(4096).split(), b"", b"0"][1])
    return 0


@pytest.mark.parametrize(("path", "length"), [("/j_spring_security_check", 1_000_000), ("/createItem?name=x", 10**9)])
def test_a_large_body_is_refused_by_the_proxy_before_it_comes(
    connect: Callable[[], ssl.SSLSocket], path: str, length: int
) -> None:
    stream = connect()
    stream.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
    assert 413 == status_of(stream)


def test_a_large_body_of_a_stranger_is_refused_by_jenkins_before_it_comes(launched: Launched, server: str) -> None:
    """Builds reach Jenkins beside the proxy."""
    place = urlsplit(server)
    head = f"POST /j_spring_security_check HTTP/1.1\r\nHost: {place.netloc}\r\n{FORM}Content-Length: 50000000\r\n\r\n"
    with socket.create_connection((place.hostname or "", place.port or 80), timeout=PATIENCE) as stream:
        stream.sendall(f"{head}j_username=".encode())
        assert status_of(stream) in {0, 400, 413}
    assert answers(launched)


def test_slow_requests_are_ended_and_hinder_nobody(launched: Launched, connect: Callable[[], ssl.SSLSocket]) -> None:
    heads = [connect() for _ in range(40)]
    bodies = [connect() for _ in range(40)]
    for stream in heads:
        stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    for stream in bodies:
        stream.sendall(f"POST /createItem?name=x HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 100\r\n\r\na=".encode())
    assert answers(launched)
    assert {0, 403, 408} >= {status_of(stream) for stream in [*heads, *bodies]}
    assert answers(launched)


def test_a_right_password_is_answered_while_others_try_wrong_ones(launched: Launched, server: str) -> None:
    controller = launched.context.controller

    def sign_in(name: str, password: str) -> int:
        return requests.get(f"{server}/me/api/json", auth=(name, password), timeout=PATIENCE).status_code

    with ThreadPoolExecutor(50) as pool:
        flood = [pool.submit(sign_in, controller.user, secrets.token_hex(8)) for _ in range(200)]
        begun = time.monotonic()
        right = sign_in(controller.user, controller.password.reveal())
        seconds = time.monotonic() - begun
        assert {401, 503} >= {each.result() for each in flood}
    assert 200 == right
    assert seconds < BOUND
    assert answers(launched)


def test_the_time_of_a_refusal_does_not_tell_whether_there_is_such_a_user(launched: Launched, server: str) -> None:
    def seconds_of_refusal(name: str) -> float:
        # As if each came from another address through the proxy: who tries often waits longer, whoever it is.
        sender = {"X-Forwarded-For": f"198.51.100.{secrets.randbelow(250)}"}
        begun = time.monotonic()
        answer = requests.get(f"{server}/api/json", auth=(name, "wrong"), headers=sender, timeout=PATIENCE)
        assert 401 == answer.status_code
        return time.monotonic() - begun

    known, unknown, without_password = [], [], []
    for _ in range(15):
        known.append(seconds_of_refusal(launched.context.controller.user))
        unknown.append(seconds_of_refusal(f"nobody-{secrets.token_hex(4)}"))
        without_password.append(seconds_of_refusal("builds"))
    medians = [statistics.median(each) for each in (known, unknown, without_password)]
    assert max(medians) < 3 * min(medians), medians  # twelve times as long where one of them is not compared at all


def test_sign_ins_by_the_form_are_slowed_down_and_others_are_not(launched: Launched) -> None:
    url, authority = launched.context.url.rstrip("/"), launched.state / "attack-authority.pem"
    authority.write_text(launched.context.controller.authority)

    def post(_: int) -> int:
        form = {"j_username": "admin", "j_password": secrets.token_hex(8)}
        address = f"{url}/j_spring_security_check"
        return requests.post(
            address, data=form, verify=str(authority), timeout=PATIENCE, allow_redirects=False
        ).status_code

    try:
        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(post, range(60)))
        assert requests.get(f"{url}/login", verify=str(authority), timeout=PATIENCE).status_code == 200
    finally:
        authority.unlink()
    assert statuses.count(429) > 20, statuses
    assert {302, 429} >= set(statuses)
    assert answers(launched)


@pytest.fixture
def blind_user(launched: Launched) -> Iterator[tuple[str, str]]:
    """A user who may see Jenkins and none of its jobs; the settings of the code are in force again afterwards."""
    name, password = "blind", secrets.token_hex(16)
    users = f"securityRealm: {{local: {{users: [{{id: {name}, password: '{password}'}}]}}}}"
    rights = f"entries: [{{user: {{name: {name}, permissions: [Overall/Read]}}}}]"
    launched.edit_settings(f"jenkins:\n  {users}\n  authorizationStrategy: {{globalMatrix: {{{rights}}}}}\n")
    yield name, password
    ask(launched.context.jenkins, "POST", "configuration-as-code/reload")


def test_a_queue_item_is_shown_only_to_who_may_read_its_job(
    launched: Launched, server: str, blind_user: tuple[str, str]
) -> None:
    client: Any = launched.context.jenkins
    name = f"concealed-{secrets.token_hex(4)}"
    client.create_job(name, WAITING_JOB)
    try:
        number = client.build_job(name)
        shown = expect(ask(client, "GET", f"queue/item/{number}/api/json"), "reading a queue item").json()
        assert name == shown["task"]["name"]
        paths = [f"queue/item/{number}/api/json", f"queue/item/{number}/", "queue/api/json", f"job/{name}/api/json"]
        seen = [requests.get(f"{server}/{path}", auth=blind_user, timeout=PATIENCE) for path in paths]
        assert [404, 404, 200, 404] == [answer.status_code for answer in seen]
        assert [] == [path for path, answer in zip(paths[:3], seen[:3], strict=True) if name in answer.text]
    finally:
        client.delete_job(name)


def test_the_local_cloud_reads_little_of_strangers_and_not_for_long(launched: Launched) -> None:
    place = urlsplit(launched.endpoint)
    address = (place.hostname or "", place.port or 0)
    with contextlib.ExitStack() as stack:

        def send(text: str) -> socket.socket:
            stream = stack.enter_context(socket.create_connection(address, timeout=PATIENCE))
            stream.sendall(text.encode())
            return stream

        large = send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 50000000\r\n\r\nx")
        slow = [send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ") for _ in range(50)]
        assert 413 == status_of(large)
        assert launched.context.world.aws("sts").get_caller_identity()["Account"]
        assert {0} == {status_of(stream) for stream in slow}


def test_too_many_connections_of_one_address_hinder_no_other(launched: Launched) -> None:
    place = urlsplit(launched.endpoint)
    with contextlib.ExitStack() as stack:
        for _ in range(400):
            stream = stack.enter_context(socket.socket())
            stream.bind(("127.0.0.2", 0))
            stream.settimeout(PATIENCE)
            stream.connect((place.hostname or "", place.port or 0))
        assert launched.context.world.aws("sts").get_caller_identity()["Account"]


def test_a_session_of_the_metadata_service_takes_no_body(launched: Launched) -> None:
    answer = requests.put(f"{launched.endpoint}/latest/api/token", data=b"x" * 2_000_000, timeout=PATIENCE)
    assert 413 == answer.status_code


def test_basic_credentials_that_are_none_are_refused_at_once(server: str) -> None:
    for given in ("====", base64.b64encode(b"no colon").decode(), base64.b64encode(b"\xff:\xff").decode()):
        answer = requests.get(f"{server}/api/json", headers={"Authorization": f"Basic {given}"}, timeout=PATIENCE)
        assert 401 == answer.status_code
