"""The version of environment files: an older file is told what to write, a newer one asks for a newer toolkit."""

from pathlib import Path

import pytest

from bootstrap.environment import settings, versions
from bootstrap.errors import SettingsInvalid

FILE = "environment: lab\ncloud: local\nowner: x\ncost_center: x\n"


def load(folder: Path, text: str) -> list[str]:
    """The faults of a file, each without the path before it."""
    path = folder / "lab.yaml"
    path.write_text(text)
    try:
        settings.load(path)
    except SettingsInvalid as error:
        return [str(fault).removeprefix(f"{path}:") for fault in error.faults]
    return []


@pytest.mark.parametrize("text", [FILE, f"version: {versions.CURRENT}\n{FILE}"])
def test_a_file_without_a_version_is_of_the_current_one(tmp_path: Path, text: str) -> None:
    assert [] == load(tmp_path, text)


def test_an_older_file_is_told_each_change_with_its_place(tmp_path: Path) -> None:
    faults = load(tmp_path, f"version: 1\n{FILE}access:\n  operator_cidr: 10.0.0.0/16\n")

    assert [
        "1:10: this toolkit has version 2 of these files; change access.operator_cidr as the other lines say, "
        "then write version: 2",
        "7:3: 'access.operator_cidr' is now a list, access.operator_cidrs; write operator_cidrs: [10.0.0.0/16]",
    ] == faults


def test_what_the_advice_says_is_accepted(tmp_path: Path) -> None:
    assert [] == load(tmp_path, f"version: 2\n{FILE}access:\n  operator_cidrs: [10.0.0.0/16]\n")


def test_an_older_file_that_has_nothing_to_change_is_told_that(tmp_path: Path) -> None:
    (fault,) = load(tmp_path, f"version: 1\n{FILE}")

    assert "1:10: " in fault
    assert "no key of this file has to be changed, then write version: 2" in fault


def test_the_other_faults_of_an_older_file_are_told_too(tmp_path: Path) -> None:
    assert 2 == len(load(tmp_path, f"version: 1\n{FILE}networt: {{}}\n"))


def test_of_a_newer_file_only_the_version_is_judged(tmp_path: Path) -> None:
    (fault,) = load(tmp_path, f"{FILE}version: 3\nkey_of_the_future: 1\n")

    assert fault.startswith("5:10: this toolkit knows versions up to 2; upgrade the toolkit")


@pytest.mark.parametrize("version", ["0", "two", "'2'", "true"])
def test_a_version_is_a_number(tmp_path: Path, version: str) -> None:
    (fault,) = load(tmp_path, f"version: {version}\n{FILE}")

    assert fault.startswith("1:10: version: ")


def test_every_change_has_a_version_that_exists() -> None:
    assert {change.version for change in versions.CHANGES} <= set(range(2, versions.CURRENT + 1))
