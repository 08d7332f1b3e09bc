"""A stack comes back as it was kept, with the events that its file counts and no others."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bootstrap.local.aws.cloudformation.store import Operation, Resource, Stack, Store, Wanted


def made(store: Store) -> Stack:
    stack = Stack("arn:stack/name/1", "name", "eu-central-1", "123456789012", Wanted("{}"), "", time.time())
    stack.operation = Operation("op", "CREATE", before=Wanted("[]"))
    stack.record("CREATE_IN_PROGRESS", "User Initiated")
    store.save(stack)
    stack.resources["A"] = Resource("A", "T", "a")
    stack.record("CREATE_COMPLETE", "", stack.resources["A"])
    store.save(stack)
    store.save(stack)
    return stack


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    stack = made(Store(tmp_path))
    again = Store(tmp_path)
    assert {stack.id: stack} == again.stacks
    again.stacks[stack.id].record("CREATE_COMPLETE")
    again.save(again.stacks[stack.id])
    third = Store(tmp_path).stacks[stack.id]
    assert again.stacks[stack.id] == third
    assert ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_COMPLETE"] == [one.status for one in third.events]


def test_events_of_a_step_that_a_kill_cut_off_are_none(tmp_path: Path) -> None:
    stack = made(Store(tmp_path))
    (events,) = tmp_path.glob("*.events")
    with events.open("a") as out:
        out.write(json.dumps(vars(stack.events[0])) + "\n" + '{"id": "ha')
    again = Store(tmp_path)
    assert stack == again.stacks[stack.id]
    again.stacks[stack.id].record("CREATE_COMPLETE")
    again.save(again.stacks[stack.id])
    assert again.stacks == Store(tmp_path).stacks


def test_events_are_written_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stack = made(store)
    (events,) = tmp_path.glob("*.events")
    assert 2 == len(events.read_text().splitlines())
    assert "events" not in json.loads((tmp_path / "1.json").read_text())
    store.forget(stack)
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_has_its_events_in_it_is_read_and_parted(tmp_path: Path) -> None:
    stack = made(Store(tmp_path))
    for path in tmp_path.glob("*.events"):
        path.unlink()
    (tmp_path / "1.json").write_text(json.dumps(stack, default=vars))
    store = Store(tmp_path)
    assert {stack.id: stack} == store.stacks
    store.save(store.stacks[stack.id])
    assert {stack.id: stack} == Store(tmp_path).stacks
