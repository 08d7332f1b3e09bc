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
