"""Labels, masking, environment variables, branches, names, options of the command line, XML."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution.console import Console
from bootstrap.local.emulator.execution.environment import expand, override
from bootstrap.local.emulator.execution.git import CHANGES, read_changes, strip_branch
from bootstrap.local.emulator.execution.labels import matches
from bootstrap.local.emulator.failures import ConfigurationRefused, Refused
from bootstrap.local.emulator.model.items import check_name
from bootstrap.local.emulator.model.xmlfile import BadXml, parse, serialise
from bootstrap.local.emulator.options import read_arguments, read_plugins


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("linux", True),
        ("mac", False),
        ("linux && big", True),
        ("mac || big", True),
        ("!mac", True),
        ("!(linux || mac)", False),
    ],
)
def test_label_expression_matches(expression: str, expected: bool) -> None:
    assert matches(expression, {"linux", "big"}) is expected


@pytest.mark.parametrize("expression", ["(linux", "linux &&", "linux big"])
def test_malformed_label_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="Invalid label expression"):
        matches(expression, {"linux"})


def test_secret_that_arrives_in_pieces_is_masked(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.hide(["hunter22", "line one\nline two"])
    console.write("it is hun")
    console.write("ter22!\nline ")
    console.write("two\n")
    console.close()
    assert (tmp_path / "log").read_text() == "it is ****!\n****\n"


def test_unfinished_line_is_ended_before_the_next(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.write("no newline")
    console.write_line("Finished: SUCCESS")
    console.close()
    assert (tmp_path / "log").read_text() == "no newline\nFinished: SUCCESS\n"


def test_variables_expand_and_unknown_ones_stay() -> None:
    assert expand("$A ${B} $C ${D}", {"A": "1", "B": "2"}) == "1 2 $C ${D}"


def test_plus_puts_a_value_before_the_old_one() -> None:
    environment = {"PATH": "/bin"}
    override(environment, "PATH+TOOL", "/opt/bin")
    override(environment, "NEW+X", "/only")
    assert environment == {"PATH": "/opt/bin:/bin", "NEW": "/only"}


@pytest.mark.parametrize(
    ("spec", "branch"), [("*/main", "main"), ("refs/heads/a/b", "a/b"), ("origin/x", "x"), ("**", ""), ("v1", "v1")]
)
def test_branch_of_a_specifier(spec: str, branch: str) -> None:
    assert strip_branch(spec) == branch


def test_changes_are_read_whatever_authors_and_subjects_hold(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=A\x02\x01B", "-c", "user.email=a\x02@example.org", "-C", str(tmp_path)]
    (tmp_path / "file").write_text("one")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one\x01two\x02three"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "plain\n\nbody"], check=True)
    printed = subprocess.run([*git, "log", CHANGES, "--name-only"], check=True, capture_output=True, text=True).stdout

    plain, odd = read_changes(printed)

    assert ("plain", []) == (plain["msg"], plain["paths"])
    assert ("one\x01two\x02three", "A\x02\x01B", "a\x02@example.org", ["file"]) == (
        *(odd[key] for key in ("msg", "author", "email", "paths")),
    )
    assert [] == read_changes("")


@pytest.mark.parametrize("name", ["ok", "with space", "ümlaut", "a.b", "a-b_c"])
def test_good_name_passes(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a.", "a/b", "a;b", "tab\t"])
def test_bad_name_is_a_failure(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name(name)
    assert (caught.value.status, caught.value.is_failure) == (400, True)


def test_properties_are_read_from_the_command_line() -> None:
    words = ["-Da.b=true", "-Dc=1=2", "--d=true", "-De"]
    arguments = read_arguments(words)
    assert {"a.b": "true", "c": "1=2", "e": ""} == arguments.properties
    assert [True, False, False] == [arguments.is_set(name) for name in ("a.b", "d", "e")]


def test_xml_declares_version_1_1_and_reads_it_back() -> None:
    text = serialise(parse("<?xml version='1.1' encoding='UTF-8'?>\n<a><b>ü</b></a>"))
    assert text.startswith(b"<?xml version='1.1' encoding='UTF-8'?>\n<a>")
    assert parse(text).findtext("b") == "ü"


def test_entities_of_a_document_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    document = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><a>&e;</a>'
    assert "secret" not in (parse(document).text or "")


def test_bad_xml_is_refused() -> None:
    with pytest.raises(BadXml):
        parse("<a>")


def test_lock_of_either_form_is_read(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text('{"git": "1", "mailer": {"version": "2", "sha256": "x"}}')
    assert read_plugins(lock) == {"git": "1", "mailer": "2"}
    lock.write_text("[]")
    with pytest.raises(ConfigurationRefused):
        read_plugins(lock)
