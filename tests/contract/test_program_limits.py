"""What a Pipeline cannot do because Jenkins stores its program at every step; in the words of the recorded cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

Xml = Callable[[str], str]


def run(server: Any, name: str, pipeline: Xml, script: str) -> tuple[str, list[str]]:
    """The result of a script, and its console without the frames of Java."""
    server.create("", name, pipeline(script))
    build, log = server.run(name)
    return build["result"], [line for line in log.splitlines() if not re.match(r"\s+at .*\)$|\[Pipeline\]", line)]


@pytest.mark.parametrize(
    ("held", "kind"),
    [
        ("def held = ('a1' =~ /\\d/)\nstage('x') { sleep 1 }", "java.util.regex.Matcher"),
        ("def f(found) { sleep 1 }\nf('a1' =~ /\\d/)", "java.util.regex.Matcher"),
        ("def held = [list: [1..2]]\nsleep 1", "groovy.lang.IntRange"),
        ("def c = null\nif (true) { def held = 1..2\nc = { held } }\nsleep 1", "groovy.lang.IntRange"),
        ("for (i in 1..2) { stage(\"s${i}\") { echo 'in' } }", "groovy.lang.IntRange"),
    ],
)
def test_what_the_program_holds_at_a_step_must_be_storable(
    server: Any, name: str, pipeline: Xml, held: str, kind: str
) -> None:
    result, lines = run(server, name, pipeline, f"{held}\necho 'NEVER'")
    assert result == "FAILURE"
    assert f"Caused: java.io.NotSerializableException: {kind}" in lines
    assert "an exception which occurred:" in lines
    assert "NEVER" not in lines


def test_what_it_no_longer_holds_or_can_store_does_no_harm(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        if (('a1' =~ /\\\\d/).find()) { echo 'found' }
        if (true) { def held = 1..2; echo "${held.size()}" }
        for (i in 1..2) { echo "i${i}" }
        for (v in ['x', 'y']) { sleep time: 10, unit: 'MILLISECONDS' }
        [a: 1].each { k, v -> sleep time: 10, unit: 'MILLISECONDS' }
        def m = ('a1' =~ /\\\\d/); m = null
        sleep time: 10, unit: 'MILLISECONDS'
        echo 'END'
    """.replace("\\\\", "\\")
    result, lines = run(server, name, pipeline, script)
    assert result == "SUCCESS", lines
    assert "END" in lines


def test_code_that_java_calls_takes_the_place_of_the_call(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        def l = ['bb', 'a']
        echo "${l.sort { it.size() }} ${l}"
        echo "${l.toSorted { it.size() }} ${l.collect { it * 2 }}"
        @NonCPS def plain(list) { list.sort { it.size() } }
        echo "${plain(['bb', 'a'])}"
    """
    result, lines = run(server, name, pipeline, script)
    assert result == "SUCCESS", lines
    see = "; see: https://jenkins.io/redirect/pipeline-cps-method-mismatches/"
    closure = "org.jenkinsci.plugins.workflow.cps.CpsClosure2.call"
    caught = f"expected to call java.util.ArrayList.sort but wound up catching {closure}{see}"
    assert lines[1:5] == [caught, "1 [bb, a]", "[a, bb] [bbbb, aa]", "[a, bb]"]


def test_recursion_without_an_end_is_stopped(server: Any, name: str, pipeline: Xml) -> None:
    result, lines = run(server, name, pipeline, "def f(n) { f(n + 1) }\nf(0)")
    assert result == "FAILURE"
    assert any(
        line.startswith("java.lang.StackOverflowError: Excessively nested closures/functions at") for line in lines
    ), lines
