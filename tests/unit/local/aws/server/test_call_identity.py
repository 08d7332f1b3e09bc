"""Whose a call is: the operation's caller in each of its threads, else the thread's own, else nobody's."""

from __future__ import annotations

import threading

from bootstrap.local.aws.server.call_identity import Acting, Actor


def test_an_operations_calls_are_its_callers_in_every_thread() -> None:
    acting, seen = Acting(), list[Actor | None]()
    acting.note("op", {"arn": "role"}, {"Project": "p"})
    acting.note("of-the-operator", {}, {})
    thread = threading.Thread(target=lambda: seen.append(acting.find("op/Subnet/create/CREATE_IN_PROGRESS")))
    thread.start()
    thread.join()
    assert [Actor({"arn": "role"}, {"Project": "p"})] == seen
    assert acting.find("of-the-operator/Subnet/create/x") is None
    assert acting.find("") is None


def test_a_threads_calls_are_whose_request_it_answers() -> None:
    acting = Acting()
    with acting.in_name_of({"arn": "a"}):
        assert Actor({"arn": "a"}) == acting.find("")
        with acting.in_name_of(None):
            assert acting.find("") is None
        with acting.nobody():
            assert acting.find("") is None
        assert Actor({"arn": "a"}) == acting.find("")
    assert acting.find("") is None


def test_what_a_step_has_made_is_its_own_alone() -> None:
    acting = Acting()
    acting.note("op", {"arn": "role"}, {})
    acting.add_made("op/A/create/x", ["subnet-1"])
    acting.add_made("op/A/create/x", ["subnet-2"])
    assert Actor({"arn": "role"}, {}, frozenset({"subnet-1", "subnet-2"})) == acting.find("op/A/create/x")
    assert Actor({"arn": "role"}) == acting.find("op/B/create/x")
