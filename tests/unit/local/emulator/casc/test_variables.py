"""`${...}` in Configuration as Code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.emulator.casc.variables import Unresolvable, Variables


@pytest.fixture
def variables(tmp_path: Path) -> Variables:
    (tmp_path / "FILE").write_text("from file\n")
    (tmp_path / "lines").write_text("two\nlines\n")
    return Variables(
        {
            "SECRETS": str(tmp_path),
            "NAME": "value",
            "INNER": "NAME",
            "JSON": '{"key": "inside"}',
            "SECRETS_FILE": str(tmp_path / "properties"),
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a ${NAME} b", "a value b"),
        ("${FILE}", "from file"),
        ("${MISSING:-default}", "default"),
        ("${MISSING:-${NAME}}", "value"),
        ("${${INNER}}", "value"),
        ("^${NAME}", "${NAME}"),
        ("^${NAME:-x} ${NAME}", "${NAME:-x} value"),
        ("${base64:text}", "dGV4dA=="),
        ("${decodeBase64:dGV4dA==}", "text"),
        ("${json:key:${JSON}}", "inside"),
        ("${open", "${open"),
        ("$NAME", "$NAME"),
    ],
)
def test_text_resolves(variables: Variables, text: str, expected: str) -> None:
    assert variables.resolve(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${${W:-NAME}}", "value"),
        ("${readFile:/nope:-d}", "d"),
        ("${readFile:/nope}", ""),
        ("${json:z:${JSON}}", ""),
        ("${sysProp:x}", "of the JVM"),
        ("${sysProp:unset}", ""),
        ("${x}", "of the JVM"),
        ("${../beside}", "beside"),
        ("${AGAIN}", "value!"),
        ("${NAME}^${NAME}", "value${NAME}"),
        ("${MISSING:-a:-b}", "a:-b"),
        ("${BASE64:text}", "dGV4dA=="),
    ],
)
def test_text_resolves_as_the_recorded_cases(tmp_path: Path, text: str, expected: str) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "beside").write_text("beside")
    environment = {"SECRETS": str(folder), "NAME": "value", "AGAIN": "${NAME}!", "JSON": '{"key": "inside"}'}
    assert Variables(environment, {"x": "of the JVM"}).resolve(text) == expected


def test_key_that_a_json_text_lacks_is_empty_also_when_strict(tmp_path: Path) -> None:
    strict = Variables({"SECRETS": str(tmp_path), "CASC_STRICT_SECRET_RESOLUTION": "true", "J": "{}"})
    assert strict.resolve("${json:z:${J}}") == ""


def test_value_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unresolvable, match="Infinite loop in property interpolation of A: A->B->A"):
        Variables({"SECRETS": str(tmp_path), "A": "${B}", "B": "${A}"}).resolve("${A}")


def test_file_keeps_its_last_newline_unless_trimmed(variables: Variables, tmp_path: Path) -> None:
    assert variables.resolve(f"${{readFile:{tmp_path}/lines}}") == "two\nlines\n"
    assert variables.resolve(f"${{trim:${{readFile:{tmp_path}/lines}}}}") == "two\nlines"


def test_file_goes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "NAME").write_text("file")
    assert Variables({"SECRETS": str(tmp_path), "NAME": "environment"}).resolve("${NAME}") == "file"


def test_properties_file_is_a_source(variables: Variables, tmp_path: Path) -> None:
    (tmp_path / "properties").write_text("# comment\nKEY = kept\n")
    assert variables.resolve("${KEY}") == "kept"


def test_missing_variable_is_empty_with_a_warning(variables: Variables) -> None:
    assert variables.resolve("[${MISSING}]") == "[]"
    assert "unresolved variable 'MISSING'" in variables.warnings[0]


def test_missing_variable_is_an_error_when_strict(tmp_path: Path) -> None:
    strict = Variables({"SECRETS": str(tmp_path), "CASC_STRICT_SECRET_RESOLUTION": "true"})
    with pytest.raises(Unresolvable, match="Unable to resolve variable 'MISSING'"):
        strict.resolve("${MISSING}")


def test_directory_in_place_of_a_secret_is_an_error(variables: Variables, tmp_path: Path) -> None:
    (tmp_path / "FOLDER").mkdir()
    with pytest.raises(Unresolvable, match="Cannot load non-file"):
        variables.resolve("${FOLDER}")


@pytest.mark.parametrize("text", ["${decodeBase64:%%%}", "${json:a:not json}", "${json:a}"])
def test_helper_that_cannot_do_its_work_is_an_error(variables: Variables, text: str) -> None:
    with pytest.raises(Unresolvable):
        variables.resolve(text)
