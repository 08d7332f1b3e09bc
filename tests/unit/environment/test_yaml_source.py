"""A YAML file is parsed once per content, and no caller's faults reach another caller."""

from __future__ import annotations

from bootstrap.environment import yaml_source
from bootstrap.errors import Fault


def test_the_same_content_is_parsed_once_and_each_caller_has_faults_of_its_own() -> None:
    first, none = yaml_source.parse_mapping("a.yaml", "key: value\n")
    none.append(Fault("a.yaml", 1, 1, "added by a caller"))
    second, faults = yaml_source.parse_mapping("a.yaml", "key: value\n")

    assert first is second
    assert [] == faults


def test_a_fault_names_the_file_that_was_asked_for() -> None:
    told = [yaml_source.parse_mapping(name, "key: [\n")[1][0].file for name in ("a.yaml", "b.yaml")]

    assert ["a.yaml", "b.yaml"] == told
