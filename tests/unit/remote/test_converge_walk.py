"""The walk over all resources: checks and changes, failures, and what is told apart from an edit by hand."""

from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedContext

from bootstrap.remote.converge import applied_state, main
from bootstrap.remote.converge.core import ARTIFACTS, Context, Finding


def file(name: str, content: str = "x", **properties: Any) -> dict[str, Any]:
    return {"id": name, "kind": "file", "path": f"/etc/{name}", "content": content, **properties}


def walk(context: Context, mode: str, *resources: dict[str, Any]) -> dict[str, Any]:
    return main.converge({"mode": mode, "resources": resources}, Context(root=context.root))


def test_checking_changes_nothing_and_tells_what_applying_would(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    answer = walk(context, "check", file("a"), file("b", sha256="0" * 64))
    assert [True, True] == [result["changed"] for result in answer["results"]]
    assert ["0" * 64] == answer["missing"]
    assert [] == list(tmp_path.rglob("*"))


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    assert [True, True] == [result["changed"] for result in walk(context, "apply", file("a"), file("b"))["results"]]
    assert [False, False] == [result["changed"] for result in walk(context, "apply", file("a"), file("b"))["results"]]


def test_the_first_failure_ends_the_walk_and_the_next_run_goes_on_from_there(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    refused = file("b", validate=["sh", "-c", "echo why; exit 3"])
    answer = walk(context, "apply", file("a"), refused, file("c"))
    assert ("b", 3, "why") == tuple(answer["results"][-1][key] for key in ("id", "exit_code", "tail"))
    assert ["c"] == answer["not_reached"]
    answer = walk(context, "apply", file("a"), file("b"), file("c"))
    assert ["b", "c"] == [result["id"] for result in answer["results"] if result["changed"]]


def test_a_check_goes_on_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "etc/a").mkdir(parents=True)
    directory_in_its_way = {"id": "d", "kind": "directory", "path": "/etc/b"}
    (tmp_path / "etc/b").write_text("")
    answer = walk(Context(root=tmp_path), "check", directory_in_its_way, file("c"))
    assert [(True, False), (False, True)] == [(result["failed"], result["changed"]) for result in answer["results"]]


def test_a_change_that_does_not_hold_is_a_failure(tmp_path: Path) -> None:
    context = ScriptedContext(root=tmp_path, script={"check": (1, ""), "do": ""})
    it = {"id": "c", "kind": "command", "command": ["do"], "unless": ["check"]}
    answer = main.converge({"mode": "apply", "resources": [it]}, context)
    assert "still not in its desired state after the change: not done yet" == answer["results"][0]["detail"]


def test_artifacts_are_gone_once_everything_is_in_place_and_kept_until_then(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    context.path(ARTIFACTS).mkdir(parents=True)
    context.artifact("kept").write_text("")
    walk(context, "apply", file("a", validate=["false"]))
    assert context.artifact("kept").exists()
    walk(context, "apply", file("a"))
    assert not context.artifact("kept").exists()


def moved(answer: dict[str, Any]) -> dict[str, bool]:
    return {result["id"]: result["desired_changed"] for result in answer["results"] if result["changed"]}


def test_an_edit_by_hand_is_told_from_a_wish_that_is_another_one_now(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"))
    for name in ("a", "b"):
        (tmp_path / "etc" / name).write_text("by hand")
    assert {"a": False, "b": True, "c": True} == moved(
        walk(context, "check", file("a"), file("b", content="else"), file("c"))
    )


def test_what_was_reached_of_a_run_that_failed_counts(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"), file("c"))
    walk(context, "apply", file("a", content="new"), file("b", content="new", validate=["false"]), file("c"))
    (tmp_path / "etc/a").write_text("by hand")
    (tmp_path / "etc/c").write_text("by hand")
    found = walk(context, "check", file("a", content="new"), file("b", content="new"), file("c"))
    assert {"a": False, "b": True, "c": False} == moved(found)


def test_what_left_the_code_is_forgotten_once_all_the_rest_is_reached(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"))
    walk(context, "apply", file("a"))
    (tmp_path / "etc/b").unlink()
    assert {"b": True} == moved(walk(context, "check", file("a"), file("b")))


def test_without_a_record_every_difference_is_by_hand_and_the_record_shows_no_wish(tmp_path: Path) -> None:
    context, record = Context(root=tmp_path), tmp_path / applied_state.RECORD.lstrip("/")
    walk(context, "apply", file("a", content="precious"))
    assert (0o600, False) == (record.stat().st_mode & 0o777, "precious" in record.read_text())
    (tmp_path / "etc/a").write_text("by hand")
    for damage in (lambda: record.write_text("{"), record.unlink):
        damage()
        assert {"a": False, "b": False} == moved(walk(context, "check", file("a", content="other"), file("b")))


def test_a_unit_that_only_reads_what_moved_moved_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unit(context: Context, resource: Any) -> Finding | None:
        causes = tuple(name for name in resource["restart_on"] if name in context.changed)
        return Finding("alter", "restarted", lambda: None, settles=False, causes=causes) if causes else None

    monkeypatch.setattr(main, "KINDS", {**main.KINDS, "unit": unit})
    units = [{"id": f"on {on}", "kind": "unit", "restart_on": on.split("+")} for on in ("a", "b", "a+b")]
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"), *units)
    (tmp_path / "etc/b").write_text("by hand")
    found = moved(walk(context, "check", file("a", content="new"), file("b"), *units))
    assert {"a": True, "b": False, "on a": True, "on b": False, "on a+b": False} == found
