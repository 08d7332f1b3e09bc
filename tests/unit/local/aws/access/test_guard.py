"""The guard reads what moto keeps only while no other thread changes it."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.aws.access import guard
from bootstrap.local.aws.access.guard import Guard
from bootstrap.local.aws.access.identities import USER, Issued, Principal
from bootstrap.local.aws.server.call_identity import Actor
from bootstrap.local.aws.server.moto_lock import MotoLock

OWNER = Principal(USER, "arn:aws:iam::1:user/a", "1", "AIDA", "a", "arn:aws:iam::1:user/a")
RECORD = {
    "kind": USER,
    "session_policies": [],
    **dict.fromkeys(("arn", "account", "user_id", "name", "source_arn"), "a"),
}


@pytest.fixture
def lock() -> MotoLock:
    return MotoLock()


@pytest.fixture
def seen(lock: MotoLock) -> list[str]:
    return []


@pytest.fixture
def guarded(lock: MotoLock, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> Guard:
    """A guard whose parts note whether another thread could take the lock while they read."""

    def note(part: str) -> None:
        taken: list[bool] = []

        def try_it() -> None:
            taken.append(lock._lock.acquire(blocking=False))

        other = threading.Thread(target=try_it)
        other.start()
        other.join()
        assert taken == [False], f"{part} is read without the lock"
        seen.append(part)

    identities: Any = SimpleNamespace(find=lambda _: note("keys") or Issued("secret", OWNER))
    authorizer: Any = SimpleNamespace(
        check=lambda *_: note("policies"), check_through_cloudformation=lambda *_: note("policies of CloudFormation")
    )
    claim = SimpleNamespace(header="h", access_key="AKIA", token="", service="ec2")
    monkeypatch.setattr(guard.signature, "read_claim", lambda _: claim)
    monkeypatch.setattr(guard.signature, "check_time", lambda *_: None)
    monkeypatch.setattr(guard.signature, "verify", lambda *_: None)
    sts: Any = SimpleNamespace()
    return Guard(identities, sts, authorizer, lock)


def test_keys_and_policies_are_read_under_the_lock(guarded: Guard, seen: list[str]) -> None:
    """A request from outside."""
    guarded.admit({"REQUEST_METHOD": "POST"})
    assert seen == ["keys", "policies"]


def test_calls_of_cloudformation_are_checked_under_the_lock(guarded: Guard, seen: list[str], lock: MotoLock) -> None:
    """A call that an operation makes in the name of its caller; the lock is free afterwards."""
    assert guarded.refuse_cloudformation(Actor(RECORD), {}, b"") is None
    assert seen == ["policies of CloudFormation"]
    assert lock.find_hung_call(-1.0) == ""
