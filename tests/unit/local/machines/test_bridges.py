"""The kernel's setting by which what a bridge carries is shown to the packet filter: found, set, or told why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.errors import Missing
from bootstrap.local.machines import bridges


def test_what_is_set_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "setting"
    setting.write_text("1\n")
    monkeypatch.setattr(bridges, "does_succeed", refuse)

    assert bridges.filter_them(setting) == ""
    assert bridges.are_filtered(setting)


def test_what_looks_away_is_told_to_look(tmp_path: Path) -> None:
    setting = tmp_path / "setting"
    setting.write_text("0\n")

    assert not bridges.are_filtered(setting)
    assert bridges.filter_them(setting) == ""
    assert setting.read_text() == "1\n"


def test_a_module_that_is_absent_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "setting"

    def load(command: list[str]) -> bool:
        setting.write_text("0\n")
        return command == ["modprobe", "br_netfilter"]

    monkeypatch.setattr(bridges, "does_succeed", load)

    assert bridges.filter_them(setting) == ""
    assert setting.read_text() == "1\n"


def test_a_kernel_without_the_module_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in (lambda _: False, refuse):
        monkeypatch.setattr(bridges, "does_succeed", answer)

        assert "no br_netfilter" in bridges.filter_them(tmp_path / "setting")


def test_a_setting_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "setting").mkdir()

    assert "cannot be set to 1" in bridges.filter_them(tmp_path / "setting")


def refuse(command: list[str]) -> bool:
    raise Missing("running modprobe", f"{command[0]} is not installed", "Install it.")
