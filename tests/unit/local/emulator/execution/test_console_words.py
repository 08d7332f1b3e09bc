"""The words of a Pipeline's console: spans of time, failures, masks, lines of the kind [Pipeline]."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from bootstrap.local.emulator import steps  # noqa: F401 (it registers the steps)
from bootstrap.local.emulator.execution import failure_report, marks
from bootstrap.local.emulator.execution.console import Console
from bootstrap.local.emulator.execution.registry import Step, render_java
from bootstrap.local.emulator.execution.spans import describe_span
from bootstrap.local.emulator.failures import Interrupted, StepFailed

ERROR_ID = "org.jenkinsci.plugins.workflow.actions.ErrorAction$ErrorId: UUID"


def report(failure: StepFailed, **more: object) -> list[str]:
    lines = failure_report.describe({**failure.describe(), **more})
    return [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", line) for line in lines]


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0 ms"),
        (99, "99 ms"),
        (500, "0.5 sec"),
        (1000, "1 sec"),
        (1999, "1.9 sec"),
        (59_999, "59 sec"),
        (60_000, "1 min 0 sec"),
        (300_000, "5 min 0 sec"),
        (3_600_000, "1 hr 0 min"),
        (90_000_000, "1 day 1 hr"),
        (172_800_000, "2 days 0 hr"),
    ],
)
def test_a_span_has_the_words_of_jenkins(milliseconds: int, words: str) -> None:
    assert describe_span(milliseconds) == words


def test_an_expected_failure_is_its_message_alone() -> None:
    assert report(StepFailed("script returned exit code 1")) == ["ERROR: script returned exit code 1"]


def test_an_interruption_shows_the_mark_of_its_step() -> None:
    assert report(Interrupted("Timeout has been exceeded")) == ["Timeout has been exceeded", ERROR_ID]
    assert report(Interrupted("")) == [ERROR_ID]


def test_another_exception_is_printed_as_java_prints_it() -> None:
    failure = StepFailed("/by/zero", "java.lang.ArithmeticException")
    assert report(failure) == [f"Also:   {ERROR_ID}", "java.lang.ArithmeticException: /by/zero"]


def test_causes_come_first_and_a_proxy_stands_before_each() -> None:
    failure = StepFailed("outer", "a.B", causes=[("c.D", "inner"), ("e.F", None)])
    proxy = "hudson.remoting.ProxyException: "
    assert report(failure, isProxied=True) == [
        f"{proxy}c.D: inner",
        f"Caused: {proxy}e.F",
        f"Also:   {proxy}{ERROR_ID}",
        f"Caused: {proxy}a.B: outer",
    ]


def test_a_refusal_of_the_emulator_has_one_form() -> None:
    failure = StepFailed("the step x is not known to the emulator", "emulator.UnknownInSandbox")
    assert report(failure) == ["ERROR: the step x is not known to the emulator"]


def test_secrets_are_masked_while_their_block_is_open(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    secret = "token-s3cr3t"
    encoded = base64.b64encode(f"{secret}\n".encode()).decode()
    with console.hide_within([secret]):
        console.write_line(f"in {secret} {encoded}")
        with console.hide_within([secret]):
            pass
        console.write_line(f"still {secret}")
    console.write_line(f"after {secret}")
    console.close()
    assert (tmp_path / "log").read_text() == f"in **** ****Cg==\nstill ****\nafter {secret}\n"


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_a_secret_is_masked_in_base64_wherever_it_begins(tmp_path: Path, before: str) -> None:
    console = Console(tmp_path / "log")
    console.hide(["token-s3cr3t"])
    console.write_line(base64.b64encode(f"{before}token-s3cr3t".encode()).decode())
    console.close()
    assert "****" in (tmp_path / "log").read_text()


def test_only_steps_have_a_name_and_only_bodies_braces() -> None:
    assert [marks.describe_step(name) for name in ("echo", "_env", "_stage")] == ["echo", "", "stage"]
    assert marks.describe_body("stage", "One") == ("[Pipeline] { (One)", "[Pipeline] }")
    assert marks.describe_body("_branch", "a") == ("[Pipeline] { (Branch: a)", "[Pipeline] }")
    assert marks.describe_body("withEnv", "") == ("[Pipeline] {", "[Pipeline] }")
    assert marks.describe_body("retry", "") == ("", "")


def test_an_argument_of_another_type_is_refused_with_the_class_of_the_step() -> None:
    step = Step(None, None, "echo", {"message": [1, 2]})  # type: ignore[arg-type]
    with pytest.raises(StepFailed) as caught:
        step.check_kinds()
    java = "org.jenkinsci.plugins.workflow.steps.EchoStep"
    assert caught.value.message == f"Could not instantiate {{message=[1, 2]}} for {java}"
    expected = f"{java}.message expects class java.lang.String but received class java.util.ArrayList"
    assert caught.value.causes == (("java.lang.ClassCastException", expected),)
    Step(None, None, "echo", {"message": "text"}).check_kinds()  # type: ignore[arg-type]


def test_another_argument_than_the_only_text_is_refused() -> None:
    with pytest.raises(StepFailed, match=re.escape("Could not instantiate {messag=x} for")):
        Step(None, None, "echo", {"messag": "x"}).check_kinds()  # type: ignore[arg-type]
    Step(None, None, "error", {}).check_kinds()  # type: ignore[arg-type]


def test_marks_have_no_time_of_their_own(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.has_times = True
    console.write_annotated("[Pipeline] echo", "kind")
    console.write_line("text")
    console.close()
    mark, text = (tmp_path / "log").read_text().splitlines()
    assert mark.endswith("[Pipeline] echo")
    assert not mark.startswith("[2")
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\dT[\d:.]+Z\] text", text)


def test_values_are_written_as_java_writes_them() -> None:
    assert render_java({"a": [True, None, "x"], "b": {"c": 1}}) == "{a=[true, null, x], b={c=1}}"
