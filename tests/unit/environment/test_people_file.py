"""Changes of the people in the text of an environment file: nothing else in it changes."""

import pytest
import yaml

from bootstrap.environment.people_file import Unchangeable, add_person, remove_person

HEAD = "# the environment\nenvironment: trial # here\n"
FIELDS = {"name": "First: Operator", "email": "first@example.org", "role": "operator", "groups": ["team"]}
KEYS = {**FIELDS, "ssh_keys": ["ssh-ed25519 AAAA first@laptop"]}
TWO = """\
people:
  # who was first
  first:
    name: A
    ssh_keys:
      - |
        ssh-ed25519 AAAA

  # who came next
  second: {name: B}
  # who comes next
host: {timezone: Etc/UTC}
"""


def parse(text: str) -> dict[str, object]:
    parsed = yaml.safe_load(text)
    assert isinstance(parsed, dict)
    return parsed


@pytest.mark.parametrize(
    "section", ["", "people:\n", "people: {}\n", "people: # nobody yet\n", "people: {} # nobody\n"]
)
@pytest.mark.parametrize("tail", ["", "host: {timezone: Etc/UTC}\n", "\n# the end\n"])
def test_the_first_person_is_written_into_any_empty_section(section: str, tail: str) -> None:
    text = HEAD + section + tail

    changed = add_person(text, "first", KEYS)

    assert {**parse(text), "people": {"first": {**KEYS}}} == parse(changed)
    assert changed.startswith(HEAD)
    assert ("nobody" in section) == ("nobody" in changed)


def test_a_person_is_added_behind_the_others_and_comments_stay() -> None:
    changed = add_person(HEAD + TWO, "third", FIELDS)

    lines = changed.splitlines()
    assert ["first", "second", "third"] == list(parse(changed)["people"])  # type: ignore[call-overload]
    assert [it for it in (HEAD + TWO).splitlines() if it not in lines] == []
    assert lines.index("  third:") == lines.index("  second: {name: B}") + 1


def test_who_is_added_and_removed_leaves_nothing() -> None:
    assert HEAD + TWO == remove_person(add_person(HEAD + TWO, "third", KEYS), "third")


def test_a_person_goes_with_all_lines() -> None:
    changed = remove_person(HEAD + TWO, "first")

    assert {"second": {"name": "B"}} == parse(changed)["people"]
    assert "AAAA" not in changed and "# who came next" in changed


def test_the_last_person_leaves_an_empty_section() -> None:
    changed = remove_person(remove_person(HEAD + TWO, "first"), "second")

    assert {} == parse(changed)["people"]
    assert {"timezone": "Etc/UTC"} == parse(changed)["host"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (TWO, "there is a person 'first' already"),
        ("people: {first: {name: A}}\n", "already"),
        ("people: {one: {}}\n", "in braces"),
    ],
)
def test_what_cannot_be_added_is_refused(text: str, part: str) -> None:
    with pytest.raises(Unchangeable, match=part):
        add_person(HEAD + text, "first", FIELDS)


@pytest.mark.parametrize(
    ("text", "part"), [("", "no person"), (TWO, "no person"), ("people: {other: {name: A}}\n", "in braces")]
)
def test_what_cannot_be_removed_is_refused(text: str, part: str) -> None:
    with pytest.raises(Unchangeable, match=part):
        remove_person(HEAD + text, "other")


@pytest.mark.parametrize("name", ["yes", "1", "a: b", "# x", "null", "it's", 'says "x"', "@x", "é", "-", " x "])
def test_any_text_is_written_as_itself(name: str) -> None:
    changed = add_person(HEAD, "first", {"name": name})

    assert {"first": {"name": name}} == parse(changed)["people"]
