"""The export, and the order and the form in which Jenkins writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.emulator.casc.check import Checker
from bootstrap.local.emulator.casc.conversion import SecretText
from bootstrap.local.emulator.casc.export import Exporter
from bootstrap.local.emulator.casc.json_schema import make_json_schema
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.variables import Variables
from bootstrap.local.emulator.options import BUNDLED_PLUGINS, read_plugins

PLUGINS = read_plugins(BUNDLED_PLUGINS)
RECORDED = Path(__file__).resolve().parents[4] / "cases" / "casc" / "export.yaml"


def read(text: str) -> dict[str, Any]:
    return Checker(PLUGINS, Variables({"SECRETS": "/nonexistent"})).check(parse(text, "f"))


def export(tree: dict[str, Any], plugins: dict[str, str] = PLUGINS) -> str:
    return Exporter(plugins, lambda secret: "{sealed}").export(tree)


def test_what_jenkins_exported_is_read_and_exported_to_the_byte() -> None:
    recorded = "".join(line for line in RECORDED.read_text().splitlines(keepends=True) if not line.startswith("#"))
    assert export(read(recorded)).replace("{sealed}", "{ciphertext}") == recorded


def test_secrets_are_sealed_also_where_nothing_is_known() -> None:
    tree = read("jenkins: {proxy: {name: p, port: 1, secretPassword: hidden}}")
    text = export({**tree, "other": {"clientSecret": SecretText("hidden")}})
    assert "hidden" not in text
    assert text.count('"{sealed}"') == 2


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("jenkins: {systemMessage: 'a ^${b}'}", '  systemMessage: "a ^${b}"'),
        ("jenkins: {crumbIssuer: standard}", '  crumbIssuer: "standard"'),
        ("jenkins: {mode: EXCLUSIVE}", "  mode: EXCLUSIVE"),
        ("jenkins: {numExecutors: 3}", "  numExecutors: 3"),
        ('jenkins: {systemMessage: "two\\nlines"}', "  systemMessage: |-\n    two\n    lines"),
        ("jenkins: {markupFormatter: rawHtml}", "    rawHtml:\n      disableSyntaxHighlighting: false"),
        ("configuration-as-code: {unknown: warn}", '  unknown: "reject"'),
        ("jenkins: {views: [{all: {name: a, filterQueue: false}}]}", '  - all:\n      name: "a"\n  viewsTabBar'),
    ],
)
def test_form_is_that_of_jenkins(settings: str, line: str) -> None:
    assert f"\n{line}" in export(read(settings))


def test_defaults_of_absent_plugins_are_not_exported() -> None:
    text = export({}, {"configuration-as-code": "1"})
    assert "  location: {\n    }\n" in text
    assert "email-ext" not in text and "credentials:" not in text


def test_json_schema_is_flat() -> None:
    schema = make_json_schema(PLUGINS)
    assert schema["properties"]["jenkins"]["properties"]["numExecutors"] == {"type": "integer"}
    assert "hudson.slaves.DumbSlave" in schema["definitions"]
