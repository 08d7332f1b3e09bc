"""Which Pipelines run in the sandbox."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.emulator.execution import groovy_programs
from bootstrap.local.emulator.execution.sandbox import is_sandboxed
from bootstrap.local.emulator.model.configuration import Configuration
from bootstrap.local.emulator.model.xmlfile import parse

CPS = "org.jenkinsci.plugins.workflow.cps"


def job(kind: str, inside: str) -> Any:
    return parse(f'<flow-definition><definition class="{CPS}.{kind}">{inside}</definition></flow-definition>'.encode())


@pytest.mark.parametrize(
    ("kind", "inside", "forced", "expected"),
    [
        ("CpsFlowDefinition", "<sandbox>true</sandbox>", False, True),
        ("CpsFlowDefinition", "<sandbox>false</sandbox>", False, False),
        ("CpsFlowDefinition", "", False, False),
        ("CpsFlowDefinition", "<sandbox>false</sandbox>", True, True),
        ("CpsFlowDefinition", "", True, True),
        ("CpsScmFlowDefinition", "<sandbox>false</sandbox>", False, True),
    ],
)
def test_the_flag_the_settings_and_the_repository_decide(kind: str, inside: str, forced: bool, expected: bool) -> None:
    configuration = Configuration()
    configuration.tree = {"security": {"scriptApproval": {"forceSandbox": forced}}}
    assert is_sandboxed(job(kind, inside), configuration) is expected


def rules() -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    section: dict[str, set[str]] = {}
    kind = ""
    for line in (Path(groovy_programs.SOURCES) / "sandbox" / "sandbox.rules").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
            continue
        before, _, names = line.partition(":")
        kind = before or kind
        section.setdefault(kind, set()).update(names.split())
    return found


def test_no_rule_permits_what_leads_out() -> None:
    table = rules()
    permitted = {**table["method"], **{f"static {name}": names for name, names in table["static"].items()}}
    dangerous = re.compile(
        r"java\.(io|nio)\.|java\.lang\.(reflect|invoke|Process|Runtime|Thread|ClassLoader)|javax?\.script|groovy\.lang\.(Groovy|Meta|Expando)"
    )
    assert [name for name in {*permitted, *table["new"]} if dangerous.search(name)] == []
    leading_out = {
        "execute",
        "getClassLoader",
        "forName",
        "getMethod",
        "newInstance",
        "invokeMethod",
        "getMetaClass",
        "setMetaClass",
    }
    leading_out |= {
        "getProperties",
        "openStream",
        "openConnection",
        "getContent",
        "exec",
        "exit",
        "getenv",
        "evaluate",
        "rehydrate",
    }
    assert {
        name: names & leading_out for name, names in {**permitted, **table["addition"]}.items() if names & leading_out
    } == {}
