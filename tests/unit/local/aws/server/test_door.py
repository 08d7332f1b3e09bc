"""The door numbers, journals and repeats requests. Work outside of moto follows a journalled request, not a replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.persistence.journal import Journal
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.door import Door


class App:
    """Answers each request with random bytes, and records the path of the request after it is journalled."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.door: Door | None = None
        self.caused: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise NotImplementedError("moto has no such operation")
        if environ["PATH_INFO"] == "/unknown":
            start_response("404 NOT FOUND", [("Content-Type", "text/html")])
            return [b"<title>404 Not Found</title><p>The requested URL was not found on the server.</p>"]
        self.answers.append(randomness.draw_bytes(8))
        assert self.door is not None
        self.door.run_afterwards(lambda: self.caused.append(environ["PATH_INFO"]))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [self.answers[-1]]


_open: list[Journal] = []


def open_door(path: Path) -> tuple[Door, App]:
    """A door on the journal at `path`; the earlier process has ended."""
    while _open:
        _open.pop().close()
    app = App()
    _open.append(Journal(path))
    app.door = Door(app, _open[-1])
    return app.door, app


def put(door: Door, path: str) -> bytes:
    return door.answer(requests.make_environ({"REQUEST_METHOD": "PUT", "PATH_INFO": path}, b"")).body


def test_replay_gives_the_same_answers_and_causes_nothing(tmp_path: Path) -> None:
    door, app = open_door(tmp_path / "journal")
    given = [put(door, "/a"), put(door, "/b")]
    assert ["/a", "/b"] == app.caused
    again, repeated = open_door(tmp_path / "journal")
    assert 2 == again.replay()
    assert given == repeated.answers
    assert [] == repeated.caused


def test_reading_requests_are_not_journalled(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")
    door.answer(requests.make_environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/a"}, b""))
    assert 0 == open_door(tmp_path / "journal")[0].replay()


def test_a_repeated_operation_gets_the_answers_of_its_first_run(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")
    with door.enter_operation("create"):
        first = put(door, "/a")
    again, app = open_door(tmp_path / "journal")
    again.replay()
    with again.enter_operation("create"):
        assert first == put(again, "/a")
        assert first != put(again, "/a")
    assert 2 == len(app.answers)


def test_a_repeated_operation_with_fewer_requests_gets_the_answer_of_each(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")
    with door.enter_operation("create"):
        put(door, "/a")
        second = put(door, "/b")
        third = put(door, "/b")
    again, app = open_door(tmp_path / "journal")
    again.replay()
    with again.enter_operation("create"):
        put(again, "/new")
        assert [second, third] == [put(again, "/b"), put(again, "/b")]
    assert 4 == len(app.answers)


def test_a_repeated_operation_reads_what_it_read_before_its_changes(tmp_path: Path) -> None:
    def get(door: Door) -> bytes:
        return door.answer(requests.make_environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/a"}, b"")).body

    door, _ = open_door(tmp_path / "journal")
    with door.enter_operation("delete"):
        first = [get(door), get(door), put(door, "/a"), get(door)]
    again, _ = open_door(tmp_path / "journal")
    again.replay()
    with again.enter_operation("delete"):
        second = [get(again), get(again), put(again, "/a"), get(again)]
    assert first[:3] == second[:3]
    assert first[3] != second[3]


def test_operation_within_another_has_its_own_answers(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")

    def work(of: Door) -> list[bytes]:
        with of.enter_operation("outer"):
            first = put(of, "/a")
            with of.enter_operation("inner"):
                inner = put(of, "/a")
            return [first, inner, put(of, "/a")]

    first = work(door)
    again, app = open_door(tmp_path / "journal")
    again.replay()
    assert first == work(again)
    assert 3 == len(app.answers)


def test_events_are_applied_and_replayed(tmp_path: Path) -> None:
    seen: list[str] = []
    for _ in range(2):
        door, _ = open_door(tmp_path / "journal")
        door.event_handlers["failed"] = lambda record: seen.append(record["instance"])
        if not seen:
            door.record_event("failed", instance="i-1")
        else:
            door.replay()
    assert ["i-1", "i-1"] == seen


def test_a_failure_in_moto_is_an_error_that_clients_do_not_repeat(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")
    answer = door.answer(requests.make_environ({"REQUEST_METHOD": "PUT", "PATH_INFO": "/broken"}, b""))
    assert 501 == answer.status
    assert b"<Code>InternalFailure</Code>" in answer.body
    assert b"moto has no such operation" in answer.body


def test_an_operation_that_moto_has_no_route_for_is_refused_in_the_local_clouds_name(tmp_path: Path) -> None:
    door, _ = open_door(tmp_path / "journal")
    response = door.answer(requests.make_environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/unknown"}, b""))

    assert 501 == response.status
    assert b"the local cloud does not have this operation" in response.body
    assert b"GET /unknown" in response.body


def test_an_event_draws_the_same_in_a_replay_and_its_work_follows_the_journal(tmp_path: Path) -> None:
    """So the handler of an event may make resources with new ids, and machines for them."""
    drawn: list[tuple[bytes, Any]] = []
    caused: list[int] = []

    def handle(record: dict[str, Any]) -> None:
        drawn.append((randomness.draw_bytes(8), randomness.utcnow()))
        lines = (tmp_path / "journal").read_bytes().count(b"\n")
        doors[-1].run_afterwards(lambda: caused.append((tmp_path / "journal").read_bytes().count(b"\n") - lines))

    doors = [open_door(tmp_path / "journal")[0]]
    doors[-1].event_handlers["grown"] = handle
    doors[-1].record_event("grown")
    doors.append(open_door(tmp_path / "journal")[0])
    doors[-1].event_handlers["grown"] = handle
    assert 1 == doors[-1].replay()
    assert drawn[0] == drawn[1]
    assert [1] == caused
