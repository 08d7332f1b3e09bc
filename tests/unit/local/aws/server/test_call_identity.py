"""Who makes a call: the caller of the operation in each of its threads, else the caller of the thread, else the operator."""

from __future__ import annotations

import threading

from bootstrap.local.aws.server.call_identity import Actor, Callers


def test_all_threads_of_an_operation_use_its_caller() -> None:
    callers, seen = Callers(), list[Actor | None]()
    callers.set_caller_of_operation("op", {"arn": "role"}, {"Project": "p"})
    callers.set_caller_of_operation("of-the-operator", {}, {})
    thread = threading.Thread(target=lambda: seen.append(callers.find("op/Subnet/create/CREATE_IN_PROGRESS")))
    thread.start()
    thread.join()
    assert [Actor({"arn": "role"}, {"Project": "p"})] == seen
    assert callers.find("of-the-operator/Subnet/create/x") is None
    assert callers.find("") is None


def test_a_thread_uses_the_caller_of_its_request() -> None:
    callers = Callers()
    with callers.use_caller({"arn": "a"}):
        assert Actor({"arn": "a"}) == callers.find("")
        with callers.use_caller(None):
            assert callers.find("") is None
        with callers.use_service():
            assert callers.find("") is None
        assert Actor({"arn": "a"}) == callers.find("")
    assert callers.find("") is None


def test_created_resources_belong_to_one_step() -> None:
    callers = Callers()
    callers.set_caller_of_operation("op", {"arn": "role"}, {})
    callers.add_created("op/A/create/x", ["subnet-1"])
    callers.add_created("op/A/create/x", ["subnet-2"])
    assert Actor({"arn": "role"}, {}, frozenset({"subnet-1", "subnet-2"})) == callers.find("op/A/create/x")
    assert Actor({"arn": "role"}) == callers.find("op/B/create/x")
