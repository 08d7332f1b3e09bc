"""The formats of pipeline-utility-steps: JSON, properties, versions, order of mappings."""

from __future__ import annotations

import pytest

from bootstrap.local.emulator.steps.data import keep_order, parse_properties, render_json
from bootstrap.local.emulator.steps.files import parse_version


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        ({"a": [1, 2.5, True, None], "s": "x"}, 0, '{"a":[1,2.5,true,null],"s":"x"}'),
        ({"k": [1, 2]}, 2, '{"k": [\n  1,\n  2\n]}'),
        ({"a": {}, "b": []}, 2, '{\n  "a": {},\n  "b": []\n}'),
        ([{"a": 1}], 4, '[{"a": 1}]'),
        ("ü", 0, '"ü"'),
    ],
)
def test_json_has_the_form_of_the_plugin(value: object, step: int, text: str) -> None:
    assert render_json(value, step) == text


def test_properties_are_those_of_java() -> None:
    text = "a=1\nb = two words\n# c\n! d\nd.e=${a}x\nlong = one, \\\n   two\nkey\\ with\\:marks: v\\u00fc\\t.\nempty\n"
    assert parse_properties(text) == {
        "a": "1",
        "b": "two words",
        "d.e": "${a}x",
        "long": "one, two",
        "key with:marks": "vü\t.",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.2", "1.10"),
        ("1.0-alpha", "1.0-beta"),
        ("1.0-rc1", "1.0"),
        ("1.0-SNAPSHOT", "1.0"),
        ("1.0", "1.0.1"),
        ("1", "1.1"),
    ],
)
def test_versions_compare_by_their_parts(older: str, newer: str) -> None:
    assert parse_version(older) < parse_version(newer)


def test_versions_without_a_difference_are_equal() -> None:
    assert parse_version("1.0.0") == parse_version("1") == parse_version("1-ga")


def test_mappings_keep_their_order_and_marked_values_their_form() -> None:
    date = {"$data": "date", "value": 0}
    assert keep_order({"b": 1, "a": [{"d": date}]}) == {
        "$data": "map",
        "value": [["b", 1], ["a", [{"$data": "map", "value": [["d", date]]}]]],
    }
