"""The verify act against suites of a few lines, written here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.acts import verify
from bootstrap.errors import VerifyFailed
from bootstrap.values import Change, Check, Verdict

SUITE = '''
import os
import pytest

def test_good(record_property):
    """What should hold holds.

    Why it should.
    """
    record_property("found", "it took 3 s")

def test_bad():
    """Numbers agree."""
    assert 1 == 2, "they do not"

def test_without_a_docstring():
    pass

@pytest.mark.parametrize("name", ["ssh", "nginx"])
def test_each(name):
    """The service runs"""
    assert name == "ssh"

@pytest.fixture
def broken():
    raise RuntimeError("no way to look")

def test_unseen(broken):
    """Something is looked at."""

def test_environment():
    """The environment is named, and no secret is handed over."""
    assert os.environ["BOOTSTRAP_ENVIRONMENT_FILE"].endswith("environment.yaml")
'''


class Silent:
    """A reporter that remembers its progress."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def change(self, change: Change) -> None:
        raise AssertionError(f"a verification changes nothing: {change}")

    def progress(self, text: str) -> None:
        self.said.append(text)

    def notice(self, text: str) -> None:
        raise AssertionError(text)


def verified(tmp_path: Path, suite: str, *only: str) -> Verdict:
    folder = tmp_path / "a root" / "tests" / "acceptance"
    folder.mkdir(parents=True)
    (folder / "test_things.py").write_text(suite)
    return verify.run(tmp_path / "environment.yaml", folder, tmp_path / "results", Silent(), only)


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    return verified(tmp_path_factory.mktemp("suite"), SUITE)


def test_each_check_is_told_by_its_sentence_and_outcome(verdict: Verdict) -> None:
    assert [
        ("What should hold holds", "passed"),
        ("Numbers agree", "failed"),
        ("without a docstring", "passed"),
        ("The service runs: ssh", "passed"),
        ("The service runs: nginx", "failed"),
        ("Something is looked at", "error"),
        ("The environment is named, and no secret is handed over", "passed"),
    ] == [(check.name, check.outcome) for check in verdict.checks]


def test_a_failed_check_says_what_was_found_instead(verdict: Verdict) -> None:
    details = {check.name: check.detail for check in verdict.failed}

    assert "they do not" in details["Numbers agree"]
    assert "no way to look" in details["Something is looked at"]
    assert "def test" not in details["Numbers agree"]


def test_a_good_check_may_say_what_it_found(verdict: Verdict) -> None:
    assert {"What should hold holds": "it took 3 s"} == {
        check.name: check.detail for check in verdict.checks if check.outcome == "passed" and check.detail
    }


def test_checks_are_grouped_by_their_file(verdict: Verdict) -> None:
    assert {"things"} == {check.group for check in verdict.checks}


def test_the_junit_file_stays(verdict: Verdict) -> None:
    assert "verify.xml" == verdict.junit.name
    assert "<testsuite" in verdict.junit.read_text()


def test_one_red_check_makes_the_verdict_red(verdict: Verdict) -> None:
    assert not verdict.is_green


def test_an_all_green_suite_makes_a_green_verdict(tmp_path: Path) -> None:
    assert verified(tmp_path, "def test_it(): pass").is_green


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (("good",), ["What should hold holds"]),
        (("good", "each"), ["What should hold holds", "The service runs: ssh", "The service runs: nginx"]),
        (("service RUNS",), ["The service runs: ssh", "The service runs: nginx"]),
        (("environment", "no such"), ["The environment is named, and no secret is handed over"]),
    ],
)
def test_a_choice_runs_those_checks_alone(tmp_path: Path, only: tuple[str, ...], expected: list[str]) -> None:
    assert expected == [check.name for check in verified(tmp_path, SUITE, *only).checks]


@pytest.mark.parametrize("word", ["nothing_like_it", "!", ""])
def test_a_choice_of_nothing_is_an_error_and_not_a_green_verdict(tmp_path: Path, word: str) -> None:
    with pytest.raises(VerifyFailed) as raised:
        verified(tmp_path, SUITE, word)

    assert f"no check is called {word}; the groups are: things" == raised.value.found


def test_a_group_is_chosen_by_its_name(tmp_path: Path) -> None:
    assert 7 == len(verified(tmp_path, SUITE, "things").checks)


def test_a_suite_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerifyFailed) as raised:
        verified(tmp_path, "import no_such_module")

    assert "pytest ended with 2" in raised.value.found
    assert "no_such_module" in raised.value.found


def test_a_suite_that_gives_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(VerifyFailed) as raised:
        verified(tmp_path, "import pytest\n\ndef test_it():\n    pytest.exit('no stacks there', returncode=3)\n")

    assert "no stacks there" in raised.value.found


def test_results_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "verify.xml").write_text("<testsuite><testcase name='test_old'/></testsuite>")

    with pytest.raises(VerifyFailed):
        verified(tmp_path, "import no_such_module")

    assert "test_old" not in (tmp_path / "results" / "verify.xml").read_text()


def test_durations_are_kept(verdict: Verdict) -> None:
    assert all(isinstance(check, Check) and 0 <= check.seconds < 10 for check in verdict.checks)


def test_the_checks_that_would_run_are_told_without_running_any() -> None:
    found = verify.list_checks(Path(__file__).resolve().parents[3] / "tests" / "acceptance")

    assert "network: The intention holds" in found
    groups = {"agents", "aws", "controller", "hardening", "machine", "network", "people", "settings", "tls"}
    assert groups == {each.partition(":")[0] for each in found}
