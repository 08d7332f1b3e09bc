"""`tree` and `depth`."""

from __future__ import annotations

import pytest

from bootstrap.local.emulator.failures import Refused
from bootstrap.local.emulator.web.api import Exported, TreeParser, prune
from bootstrap.local.emulator.web.rendering import render

CHILDREN = [Exported("k.Child", {"name": str(number), "size": number}) for number in range(4)]
PARENT = Exported("k.Parent", {"name": "p", "children": lambda: CHILDREN, "rare": 1}, hidden=frozenset({"rare"}))


def test_depth_zero_shows_children_in_brief() -> None:
    assert prune(PARENT, None, 0)["children"][1] == {"_class": "k.Child", "name": "1"}


def test_depth_one_shows_children_in_full() -> None:
    assert prune(PARENT, None, 1)["children"][1] == {"_class": "k.Child", "name": "1", "size": 1}


def test_hidden_property_appears_only_by_tree() -> None:
    assert "rare" not in prune(PARENT, None, 5)
    assert prune(PARENT, TreeParser("rare").parse(), 0) == {"_class": "k.Parent", "rare": 1}


@pytest.mark.parametrize(
    ("text", "names"), [("{1,3}", ["1", "2"]), ("{2,}", ["2", "3"]), ("{,1}", ["0"]), ("{3}", ["3"])]
)
def test_range_selects(text: str, names: list[str]) -> None:
    found = prune(PARENT, TreeParser(f"children[name]{text}").parse(), 0)
    assert [child["name"] for child in found["children"]] == names


def test_star_selects_everything() -> None:
    assert prune(PARENT, TreeParser("children[*]").parse(), 0)["children"][2]["size"] == 2


@pytest.mark.parametrize("text", ["a[b", "a]b", "a{1", "a[b]c", "a{x}"])
def test_malformed_tree_is_500(text: str) -> None:
    with pytest.raises(Refused) as caught:
        TreeParser(text).parse()
    assert caught.value.status == 500


def test_jsonp_is_forbidden() -> None:
    with pytest.raises(Refused) as caught:
        render(PARENT, "json", {"jsonp": "f"})
    assert caught.value.status == 403


def test_xml_names_items_in_the_singular() -> None:
    exported = Exported("hudson.model.Hudson", {"jobs": [Exported("", {"name": "a"})], "flag": True})
    body, _ = render(exported, "xml", {})
    assert body == "<hudson _class='hudson.model.Hudson'><job><name>a</name></job><flag>true</flag></hudson>"
