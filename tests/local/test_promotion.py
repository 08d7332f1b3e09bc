"""Two networks in turn, as the machine's job has it: the first is changed and proven, a person agrees, then the second is.

The person agrees with the command 'approve', which hands the build a session that may change the second.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from promoted import FIRST, NEXT, mark, marked, serve_both
from trial import Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask, expect

QUESTION = re.compile(r"^waiting for an answer: \S+/job/network/(\d+)/input/$", re.MULTILINE)


@pytest.fixture(scope="module")
def pair(launched: Launched) -> Iterator[Launched]:
    yield from serve_both(launched)


def build(launched: Launched, at_question: Callable[[], str]) -> tuple[str, str, int]:
    """Result and console of a build of the job, and how often it asked; `at_question` decides: approve, or answer so there."""
    told: list[str] = []
    answered: list[str] = []

    def listen(text: str) -> None:
        told.append(text)
        if asked := QUESTION.search(text):
            answered.append(at_question())
            if answered[-1] == "approve":
                assert f"network #{asked[1]} is approved" in launched.done("approve")
                return
            path = f"job/network/{asked[1]}/input/Approve/{answered[-1]}"
            expect(ask(launched.context.jenkins, "POST", path), "answering the question")

    result = builds.follow(launched.context.jenkins, "network", {}, listen, url=launched.context.url, timeout=600)
    return result, "".join(told), len(answered)


def test_refused_at_the_question_the_second_network_stays_as_it_was(pair: Launched) -> None:
    mark(pair, "one")
    seen: list[dict[str, str]] = []

    def refuse() -> str:
        seen.append(marked(pair))
        return "abort"

    result, console, asked = build(pair, refuse)

    assert ("ABORTED", 1) == (result, asked), console[-4000:]
    assert [{FIRST: "one", NEXT: ""}] == [*seen] == [marked(pair)]
    plan = console.index(f"~ jenkins-{NEXT}-network/ControllerSecurityGroup")
    assert console.index("deny internet -> 10.30.0.0/16:*") < plan < console.index("Input requested")
    assert "network apply" not in console[plan:] and "network verify" not in console[plan:]


def test_agreed_to_on_the_page_nothing_is_changed_for_nobody_handed_over_a_session(pair: Launched) -> None:
    result, console, asked = build(pair, lambda: "proceedEmpty")

    assert ("FAILURE", 1) == (result, asked), console[-4000:]
    assert {FIRST: "one", NEXT: ""} == marked(pair)
    assert "approve it with './bootstrap.py approve'" in console


def test_approved_the_second_network_is_changed_as_planned_and_proven(pair: Launched) -> None:
    result, console, asked = build(pair, lambda: "approve")

    assert ("SUCCESS", 1) == (result, asked), console[-4000:]
    assert "SecretAccessKey" not in console and "BOOTSTRAP_SESSION" not in console
    assert {FIRST: "one", NEXT: "one"} == marked(pair)
    after = console.partition("Approved by")[2]
    assert f"~ jenkins-{NEXT}-network/ControllerSecurityGroup" in after
    assert "+ nothing else is reachable from the Internet" in after


def test_where_the_second_network_has_nothing_to_do_nobody_is_asked(pair: Launched) -> None:
    result, console, asked = build(pair, lambda: "abort")

    assert ("SUCCESS", 0) == (result, asked), console[-4000:]
    assert 2 == console.count("\nnothing to do\n")
    assert 'Stage "Apply second" skipped due to when conditional' in console
    assert 2 == console.count("+ nothing else is reachable from the Internet")


def test_an_intention_of_the_first_that_does_not_hold_ends_it_before_the_next(pair: Launched) -> None:
    file = pair.environment_file.with_name(f"{FIRST}.yaml")
    file.write_text(file.read_text().replace("allow: [", 'allow: ["controller -> data:3306", '))
    mark(pair, "two")

    result, console, asked = build(pair, lambda: "approve")

    assert ("FAILURE", 0) == (result, asked), console[-4000:]
    assert {FIRST: "two", NEXT: "one"} == marked(pair), console[-6000:]
    assert "  x allow controller -> data:3306" in console
    assert 'Stage "Plan second" skipped due to earlier failure(s)' in console
