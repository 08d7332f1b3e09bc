"""How exported objects are written: JSON, Python and XML, with XPath, as recorded on Jenkins."""

from __future__ import annotations

import pytest
from multidict import MultiDict

from bootstrap.local.emulator.failures import Refused
from bootstrap.local.emulator.web.api import Exported
from bootstrap.local.emulator.web.rendering import PlainAnswer, render

INNER = Exported("k.Job", {"name": "a", "note": None}, is_exact=True)
ROOT = Exported("k.Root", {"jobs": [INNER], "mode": "NORMAL", "on": True, "empty": []})


def write(flavour: str, **query: str) -> str:
    return render(ROOT, flavour, MultiDict(query))[0]


def test_a_class_is_named_only_where_it_differs_from_the_declared_one() -> None:
    assert write("json") == '{"_class":"k.Root","jobs":[{"name":"a"}],"mode":"NORMAL","on":true,"empty":[]}'
    assert render(INNER, "json", {})[0] == '{"_class":"k.Job","name":"a","note":null}'


def test_python_differs_from_json_only_in_its_words() -> None:
    assert render(INNER, "python", {}) == ('{"_class":"k.Job","name":"a","note":None}', "text/x-python;charset=UTF-8")


def test_pretty_json_has_blanks_before_colons_and_lines_in_what_is_empty() -> None:
    assert write("json", pretty="", tree="mode,empty") == (
        '{\n  "_class" : "k.Root",\n  "mode" : "NORMAL",\n  "empty" : [\n    \n  ]\n}'
    )


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({}, "<root _class='k.Root'><job><name>a</name></job><mode>NORMAL</mode><on>true</on></root>"),
        ({"xpath": "//job"}, "<job><name>a</name></job>"),
        ({"xpath": "//job", "wrapper": "w"}, "<w><job><name>a</name></job></w>"),
        ({"xpath": "//mode/text()", "wrapper": "w"}, "<w>NORMAL</w>"),
        ({"xpath": "//nothing", "wrapper": "w"}, "<w/>"),
        ({"xpath": "/root/@_class"}, ' _class="k.Root"'),
        (
            {"exclude": "//job"},
            '<?xml version="1.0" encoding="UTF-8"?>\n<root _class="k.Root"><mode>NORMAL</mode><on>true</on></root>',
        ),
    ],
)
def test_xml(query: dict[str, str], body: str) -> None:
    assert write("xml", **query) == body


@pytest.mark.parametrize("xpath", ["//mode/text()", "count(//job)", "string(//mode)", "//mode='x'"])
def test_a_bare_value_is_forbidden_but_for_the_crumb(xpath: str) -> None:
    with pytest.raises(Refused) as caught:
        write("xml", xpath=xpath)

    assert caught.value.status == 403
    assert render(ROOT, "xml", MultiDict({"xpath": xpath}), is_open=True)[1].startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "status"),
    [({"xpath": "//no"}, 404), ({"xpath": "/root/*"}, 500), ({"xpath": "//job", "wrapper": "1<"}, 400)],
)
def test_an_xpath_that_does_not_fit_is_a_plain_text(query: dict[str, str], status: int) -> None:
    with pytest.raises(PlainAnswer) as caught:
        write("xml", **query)

    assert caught.value.status == status


@pytest.mark.parametrize("query", [{"tree": ""}, {"depth": "abc"}, {"xpath": "///"}])
def test_a_malformed_query_is_an_exception(query: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        write("xml", **query)

    assert caught.value.status == 500
