"""What a build keeps of its steps: what a person answered is sealed, for it may be a password."""

from __future__ import annotations

from pathlib import Path

from bootstrap.local.emulator.model.cipher import Vault
from bootstrap.local.emulator.model.program_record import NAME, Journal, read


def test_the_answer_to_a_question_is_not_readable_in_the_builds_folder(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "home")
    journal = Journal(tmp_path, vault, lambda text: text, dict)
    journal.begin("pipeline {}", {})
    for number, name in enumerate(("input", "echo"), 1):
        asked = {"id": number, "kind": "call", "name": name, "context": "0"}
        journal.record_request(asked)
        journal.record_answer(asked, {"id": number, "value": f"the {name} is precious"})

    text = (tmp_path / NAME).read_text()
    past = read(tmp_path, vault.open)

    assert "the input is precious" not in text and "the echo is precious" in text
    assert past is not None and "the input is precious" in str(past)


def test_the_agents_of_open_blocks_are_known_and_a_step_with_a_note_can_go_on(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "home")
    journal = Journal(tmp_path, vault, lambda text: text, dict)
    journal.begin("node {}", {})
    ask = {"arguments": {}}

    def enter(number: int, context: str, agent: str) -> None:
        asked = {"id": number, "kind": "enter", "name": "node", "context": "root", **ask}
        journal.record_request(asked)
        held = {"agent": agent, "workspace": "/w"}
        journal.record_answer(asked, {"id": number, "value": {"context": context, "value": None, "held": held}})

    enter(1, "c1", "i-left")
    left = {"id": 2, "kind": "leave", "name": "node", "context": "c1", **ask}
    journal.record_request(left)
    journal.record_answer(left, {"id": 2, "value": {}})
    enter(3, "c2", "i-held")
    script = {"kind": "call", "name": "sh", "context": "c2", **ask}
    journal.record_request({"id": 4, **script}, note={"control": "/w@tmp/durable-1"})

    past = read(tmp_path, vault.open)
    assert past is not None and ["i-held"] == past.list_agents()
    assert [{"control": "/w@tmp/durable-1"}] == [step.note for step in past.steps["c2"]]

    journal.record_request({"id": 5, **script})
    assert read(tmp_path, vault.open) is None  # a script without a note ended with the process
