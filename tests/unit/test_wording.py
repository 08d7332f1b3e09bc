"""How many there are of something, in words."""

from __future__ import annotations

import pytest

from bootstrap import wording


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (["passed", "passed"], "2 passed"),
        (["passed"], "1 passed"),
        ([], "0 passed"),
        (["passed", "failed", "passed", "error", "skipped"], "2 passed, 2 failed, 1 skipped"),
    ],
)
def test_outcomes_are_counted_and_only_what_there_is_is_told(outcomes: list[str], said: str) -> None:
    assert wording.count_outcomes(outcomes) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 changes"), (1, "1 change"), (2, "2 changes")])
def test_one_is_not_many(number: int, said: str) -> None:
    assert wording.count_noun(number, "change") == said


@pytest.mark.parametrize(
    ("user", "has_sudo", "advice"),
    [
        (0, True, "Run: apt-get update && apt-get install -y git gnupg"),
        (1000, True, "Run: sudo apt-get update && sudo apt-get install -y git gnupg"),
        (1000, False, "Run as root: apt-get update && apt-get install -y git gnupg"),
    ],
)
def test_the_advice_to_install_can_be_typed_as_it_is(
    monkeypatch: pytest.MonkeyPatch, user: int, has_sudo: bool, advice: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    there = {"apt-get", *(["sudo"] if has_sudo else [])}
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name in there else None)

    assert advice == wording.advise_installation("git", "gnupg")


def test_without_apt_the_packages_are_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)

    assert "Install with this system's package manager: git" == wording.advise_installation("git")
