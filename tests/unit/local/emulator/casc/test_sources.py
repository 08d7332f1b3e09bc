"""Finding and merging files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.emulator.casc.sources import locate, merge, parse, read_sources
from bootstrap.local.emulator.failures import ConfigurationRefused


def test_maps_merge_and_lists_append() -> None:
    whole = merge(parse("a: {x: 1, l: [1]}", "one"), parse("a: {y: 2, l: [2]}", "two"))
    assert whole.plain == {"a": {"x": "1", "l": ["1", "2"], "y": "2"}}


def test_same_scalar_twice_names_both_places() -> None:
    place = "Found conflicting configuration at YamlSource: two  in two, line 2, column 6:"
    with pytest.raises(ConfigurationRefused, match=rf"two, line 2: {place}\na\.x is already set in one, line 1"):
        merge(parse("a: {x: 1}", "one"), parse("a:\n  x: 1", "two"))


@pytest.mark.parametrize("strategy", ["errorOnConflict", "override"])
def test_list_and_mapping_never_merge(strategy: str) -> None:
    with pytest.raises(ConfigurationRefused, match="Found incompatible configuration elements YamlSource: two"):
        merge(parse("a: {x: 1}", "one"), parse("a: [x]", "two"), strategy)


def test_override_takes_the_later_scalar() -> None:
    assert merge(parse("a: 1", "one"), parse("a: 2", "two"), "override").plain == {"a": "2"}


def test_directory_is_read_in_path_order_with_what_is_below(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "sub/c.YAML", "ignored.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.name for path in locate(str(tmp_path))] == ["a.yml", "b.yaml", "c.YAML"]


def test_comma_separates_sources_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    with pytest.raises(
        ConfigurationRefused, match="is not supported by any registered configuration fetcher or does not exist"
    ):
        locate(f"{tmp_path}/a.yaml, {tmp_path}/b.yaml")


def test_home_has_the_file_of_last_resort(tmp_path: Path) -> None:
    (tmp_path / "jenkins.yaml").write_text("a: 1")
    assert read_sources({}, tmp_path).plain == {"a": "1"}


def test_unknown_strategy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match="No merge strategy named x"):
        read_sources({"CASC_MERGE_STRATEGY": "x"}, tmp_path)


def test_anchor_is_followed() -> None:
    assert parse("x-base: &b {k: 1}\na: *b", "f").plain["a"] == {"k": "1"}


@pytest.mark.parametrize(
    "text", ["- 1", "a: [", "? [a]\n: b", "x-b: &b {k: 1}\na: {<<: *b}", "a: 1\n---\nb: 1", "a:\n\tb: 1"]
)
def test_text_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationRefused):
        parse(text, "f")


def test_alias_bomb_is_refused() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(ConfigurationRefused, match="aliases"):
        parse(bomb, "f")


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert parse("a: 1\na: 2", "f").plain == {"a": "2"}
