"""CloudFormation's documentation as cases: each is played and must come out as the page that it names says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import yaml

LEAST = 303
READ_AT_LEAST = 155


def test_it_is_as_documented(play: Any) -> None:
    play.run()


def test_every_case_names_its_page_and_has_a_name_of_its_own() -> None:
    class Names(yaml.SafeLoader):
        """Leaves the functions out."""

    Names.add_multi_constructor("!", lambda *_: None)
    texts = [path.read_text() for path in (Path(__file__).parent / "cases").glob("*.yaml")]
    cases = [case for text in texts for case in yaml.load(text, Names)["cases"]]  # noqa: S506 (a safe loader)
    names = [case["name"] for case in cases]
    assert [] == [name for name in names if names.count(name) > 1]
    assert [] == [case["name"] for case in cases if not case.get("page")]
    assert len(cases) >= LEAST
    assert sum(case.get("read", False) for case in cases) >= READ_AT_LEAST


def test_pages_of_the_api_reference_are_of_operations_that_there_are() -> None:
    model = boto3.client("cloudformation", region_name="eu-central-1").meta.service_model
    known = {*model.operation_names, *model.shape_names}
    texts = [path.read_text() for path in (Path(__file__).parent / "cases").glob("*.yaml")]
    named = {name for text in texts for name in re.findall(r"page: API_(\w+)", text)}
    assert named
    assert set() == named - known
