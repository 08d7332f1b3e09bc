"""Console notes, and what the journal tells of a refusal."""

import base64
import gzip
from pathlib import Path

import pytest

from bootstrap.jenkins.controller.console_text import clean
from bootstrap.local.emulator import journal
from bootstrap.local.emulator.casc.check import Checker
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.variables import Variables
from bootstrap.local.emulator.execution.console import Console
from bootstrap.local.emulator.failures import ConfigurationRefused
from bootstrap.local.emulator.model import console_notes
from bootstrap.remote.converge import causes


def test_a_note_holds_a_signature_of_negative_length_and_a_compressed_object() -> None:
    note = console_notes.make_note(console_notes.PIPELINE)
    assert note.startswith(b"\x1b[8mha:////4") and note.endswith(b"\x1b[0m")
    preamble = base64.b64decode(note[7:-4])
    assert gzip.decompress(preamble[40:]).startswith(b"\xac\xed\x00\x05")
    assert int.from_bytes(preamble[36:40]) == len(preamble) - 40


def test_a_console_keeps_its_notes_and_shows_none(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.hide(["ha:", "//4", "secret"])
    console.write_annotated("Started by user Admin", console_notes.LINK, 16)
    console.write_annotated("[Pipeline] secret", console_notes.PIPELINE)
    console.close()
    kept = (tmp_path / "log").read_bytes()
    assert console_notes.remove_notes(kept) == b"Started by user Admin\n[Pipeline] ****\n"
    assert clean(kept.decode()) == console_notes.remove_notes(kept).decode()
    assert kept.startswith(b"Started by user \x1b[8mha:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "jenkins: {mode: SOMETIMES}",
            "java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.SOMETIMES",
        ),
        (
            "unclassified: {location: {url: '${NOPE}'}}",
            "java.lang.IllegalStateException: Unable to resolve variable 'NOPE'",
        ),
        (
            "jenkins: {nope: 1}",
            "io.jenkins.plugins.casc.UnknownAttributesException: jenkins: Invalid configuration elements",
        ),
        (
            "nope: 1",
            "io.jenkins.plugins.casc.UnknownConfiguratorException: No configurator found for the following root",
        ),
        ("jenkins: [", "org.yaml.snakeyaml.error.MarkedYAMLException: while parsing"),
    ],
)
def test_the_journal_has_the_cause_of_a_refusal_first(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    variables = Variables({"SECRETS": "/nonexistent", "CASC_STRICT_SECRET_RESOLUTION": "true"})
    with pytest.raises(ConfigurationRefused) as caught:
        Checker({"configuration-as-code": "1"}, variables).check(parse(text, "20.yaml"))
    identifier = journal.log_uncaught(caught.value)
    assert causes.find_exception(capsys.readouterr().err, f"with ID {identifier}").startswith(told)


def test_the_journal_has_a_fault_of_the_emulator_itself(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        _ = {}["x"]
    except KeyError as fault:
        identifier = journal.log_uncaught(fault)
    assert causes.find_exception(capsys.readouterr().err, f"with ID {identifier}") == "KeyError: 'x'"
