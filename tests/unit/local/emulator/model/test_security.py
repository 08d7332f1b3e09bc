"""Accounts, permissions and sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.emulator.model.security import Authorization, Identity, Users
from bootstrap.local.emulator.model.sessions import Sessions
from bootstrap.local.emulator.options import read_arguments


def test_matrix_grants_by_user_group_and_implication() -> None:
    entries = [
        {"user": {"name": "admin", "permissions": ["Overall/Administer"]}},
        {"group": {"name": "authenticated", "permissions": ["Overall/Read", "Job/Configure"]}},
        {"user": {"name": "anonymous", "permissions": ["Job/Discover"]}},
    ]
    rights = Authorization("globalMatrix", {"entries": entries})
    assert rights.allows(Identity("Admin"), "Job/Delete")
    assert rights.allows(Identity("someone"), "Job/ExtendedRead")
    assert not rights.allows(Identity("someone"), "Job/Read")
    assert rights.allows(Identity(), "Job/Discover")
    assert not rights.allows(Identity(), "Overall/Read")


def test_logged_in_users_may_do_anything_and_others_read_when_allowed() -> None:
    closed = Authorization("loggedInUsersCanDoAnything", {"allowAnonymousRead": False})
    opened = Authorization("loggedInUsersCanDoAnything", {"allowAnonymousRead": True})
    assert closed.allows(Identity("a"), "Overall/Administer")
    assert not closed.allows(Identity(), "Overall/Read")
    assert opened.allows(Identity(), "Job/Read")
    assert not opened.allows(Identity(), "Job/Build")


def test_accounts_survive_on_the_disk_without_plain_secrets(tmp_path: Path) -> None:
    users = Users(tmp_path)
    user = users.ensure("Some.One")
    users.set_password(user, "secret-word")
    _, text = users.add_token(user, "name")
    again = Users(tmp_path)
    again.load()
    found = again.find("some.one")
    assert found is not None
    assert again.is_password(found, "secret-word")
    assert not again.is_password(found, "other-word")
    assert again.is_token(found, text)
    stored = "".join(path.read_text() for path in tmp_path.rglob("*.xml"))
    assert "secret-word" not in stored
    assert text[2:] not in stored


def test_same_password_again_does_not_change_the_account(tmp_path: Path) -> None:
    users = Users(tmp_path)
    user = users.ensure("one")
    users.set_password(user, "word")
    before = user.password
    users.set_password(user, "word")
    assert user.password == before


def test_crumb_belongs_to_user_and_session() -> None:
    sessions = Sessions("salt", 1800)
    one, two = sessions.open("a"), sessions.open("a")
    crumb = sessions.make_crumb("a", one)
    assert sessions.is_crumb(crumb, "a", one)
    assert not sessions.is_crumb(crumb, "a", two)
    assert not sessions.is_crumb(crumb, "b", one)
    assert not sessions.is_crumb(crumb, "a", None)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ([], 1800),
        (["--sessionTimeout=5"], 300),
        (["--sessionTimeout=60"], 1800),  # evicted before
        (["--sessionTimeout=60", "--sessionEviction=7200"], 3600),
        (["--sessionTimeout=60", "--sessionEviction=-1"], 3600),
        (["--sessionTimeout=soon", "-DsessionTimeout=1", "--prefix=/x"], 1800),
    ],
)
def test_sessions_live_as_long_as_the_command_line_says(words: list[str], seconds: int) -> None:
    assert seconds == read_arguments(words).session_seconds


def test_a_session_ends_when_it_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("bootstrap.local.emulator.model.sessions.time.monotonic", lambda: clock[0])
    sessions = Sessions("salt", 300)
    idle, used = sessions.open("a"), sessions.open("b")
    for _ in range(3):
        clock[0] += 200
        assert sessions.find(used.identifier) is used
    assert sessions.find(idle.identifier) is None
