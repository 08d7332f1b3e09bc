"""The request for the lock: each plugin by name and version, what requires what, and what the lock has."""

import json

import yaml
from recorded_jenkins import RECORDED

from bootstrap.importing import plugins
from bootstrap.importing.findings import Note

GIT = json.loads(RECORDED["plugin"]["body"])


def entry(name: str, *required: str, optional: tuple[str, ...] = (), **changes: object) -> dict[str, object]:
    listed = [{"shortName": each, "optional": False} for each in required]
    listed += [{"shortName": each, "optional": True} for each in optional]
    return GIT | {"shortName": name, "dependencies": listed} | changes


def test_the_request_has_every_plugin_and_what_the_lock_has_of_it() -> None:
    notes: list[Note] = []
    entries = [
        entry("git", "scm-api", optional=("promoted",)),
        entry("scm-api"),
        entry("promoted"),
        GIT | {"shortName": 7},
    ]
    found = plugins.read(entries, notes)
    written = yaml.safe_load(plugins.write(found, {"git": "5.10.1", "other": "1"}))["plugins"]
    assert list(written) == ["git", "promoted", "scm-api"]
    assert written["git"] == {
        "version": "5.10.1",
        "active": True,
        "enabled": True,
        "pinned": False,
        "required": False,
        "locked": "5.10.1",
    }
    assert written["scm-api"]["required"] is True and written["scm-api"]["locked"] is None
    assert written["promoted"]["required"] is False
    assert [note.name for note in notes] == ["7"]


def test_a_disabled_plugin_requires_nothing() -> None:
    found = plugins.read([entry("git", "scm-api", enabled=False, active=False), entry("scm-api")], [])
    assert yaml.safe_load(plugins.write(found, {}))["plugins"]["scm-api"]["required"] is False


def test_the_recorded_answer_without_the_fields_of_dependencies_is_taken() -> None:
    (found,) = plugins.read([GIT], [])
    assert found.required == frozenset()


def test_versions_that_differ_are_told_by_which_is_newer() -> None:
    found = plugins.read([entry("git", version="5.9.0"), entry("junit", version="9999")], [])
    told = [str(note) for note in plugins.judge(found, {"git": "5.10.1", "junit": "1424.v0"})]
    assert told == [
        "plugin git: the lock has the newer version 5.10.1, there it is 5.9.0; read its changelog",
        "plugin junit: the lock has the older version 1424.v0, there it is 9999; "
        "if you need it: ./bootstrap.py jenkins lock --upgrade junit",
    ]


def test_what_is_as_in_the_lock_is_not_told() -> None:
    assert list(plugins.judge(plugins.read([GIT], []), {"git": "5.10.1"})) == []
