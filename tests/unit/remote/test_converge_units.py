"""Units: when they are started, restarted, reloaded, and left alone."""

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedContext

from bootstrap.remote.converge import draining, units
from bootstrap.remote.converge.core import Context, Failed, Finding

STARTED = 1_700_000_000.0


class Systemd:
    """Answers as systemctl does, for one unit."""

    def __init__(self, **properties: str) -> None:
        stamp = datetime.datetime.fromtimestamp(STARTED, datetime.UTC).strftime("%a %Y-%m-%d %H:%M:%S.%f UTC")
        self.properties = {
            "LoadState": "loaded",
            "UnitFileState": "enabled",
            "ActiveState": "active",
            "NeedDaemonReload": "no",
            "InactiveExitTimestamp": stamp,
            "StateChangeTimestamp": stamp,
            **properties,
        }
        self.after_start = "active"
        self.start_code = 0
        self.journal = "the last words\n"

    def __call__(self, line: str) -> str | tuple[int, str]:
        match line.split()[1]:
            case "show":
                return "".join(f"{key}={value}\n" for key, value in self.properties.items())
            case "start" | "restart" | "reload-or-restart":
                self.properties["ActiveState"] = self.after_start
                return (self.start_code, "Job failed.") if self.start_code else ""
            case "stop":
                self.properties["ActiveState"] = "inactive"
                return ""
            case "-u":
                return self.journal
            case "daemon-reload" | "enable" | "disable" | "reset-failed" | "--sync":
                return ""
        raise AssertionError(line)


def machine(tmp_path: Path, systemd: Systemd) -> ScriptedContext:
    context = ScriptedContext(root=tmp_path, script=systemd)
    (tmp_path / "conf").write_text("")
    os.utime(tmp_path / "conf", (STARTED - 60, STARTED - 60))
    context.resources = {"conf": {"id": "conf", "kind": "file", "path": "/conf"}}
    return context


def it(**properties: Any) -> dict[str, Any]:
    return {"id": "it", "kind": "unit", "name": "it.service", "restart_on": ["conf"], **properties}


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


def verbs(context: ScriptedContext) -> list[str]:
    return [line.split()[1] for line in context.ran if line.split()[1] != "show"]


def test_an_enabled_active_unit_is_left_alone(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    assert units.unit(context, it()) is None
    assert [] == verbs(context)


def test_an_unknown_unit_is_enabled_and_started(tmp_path: Path) -> None:
    systemd = Systemd(LoadState="not-found", UnitFileState="", ActiveState="inactive")
    context = machine(tmp_path, systemd)
    finding = found(units.unit(context, it()))
    assert ("add", "enabled, started") == (finding.kind, finding.detail)
    systemd.properties |= {"LoadState": "loaded", "UnitFileState": "disabled"}
    finding.act()
    assert ["daemon-reload", "enable", "reset-failed", "start"] == verbs(context)


def test_a_unit_is_restarted_when_its_file_changed_in_this_run(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    context.changed.add("conf")
    finding = found(units.unit(context, it()))
    assert ("alter", "restarted: conf") == (finding.kind, finding.detail)
    finding.act()
    assert ["daemon-reload", "enable", "reset-failed", "restart"] == verbs(context)


def test_a_unit_is_restarted_when_a_killed_run_wrote_its_file(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    os.utime(tmp_path / "conf", (STARTED + 1, STARTED + 1))
    assert "restarted: conf" == found(units.unit(context, it())).detail


def test_a_unit_is_reloaded_where_that_is_enough(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    context.changed.add("conf")
    found(units.unit(context, it(reload=True))).act()
    assert "reload-or-restart" == verbs(context)[-1]


def test_a_reload_after_the_start_counts_as_having_seen_the_file(tmp_path: Path) -> None:
    later = datetime.datetime.fromtimestamp(STARTED + 60, datetime.UTC).strftime("%a %Y-%m-%d %H:%M:%S.%f UTC")
    context = machine(tmp_path, Systemd(StateChangeTimestamp=later))
    os.utime(tmp_path / "conf", (STARTED + 1, STARTED + 1))
    assert units.unit(context, it(reload=True)) is None


def test_a_removed_file_is_seen_by_its_folder(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    (tmp_path / "sites").mkdir()
    context.resources = {"conf": {"id": "conf", "kind": "absent", "path": "/sites/default"}}
    assert "restarted: conf" == found(units.unit(context, it())).detail


def test_a_static_unit_is_not_enabled(tmp_path: Path) -> None:
    assert units.unit(machine(tmp_path, Systemd(UnitFileState="static")), it()) is None


def test_a_unit_that_systemd_has_read_before_its_file_changed_is_read_again(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd(NeedDaemonReload="yes"))
    assert "unit files read again" == found(units.unit(context, it())).detail


def test_an_unwanted_unit_is_disabled_and_stopped(tmp_path: Path) -> None:
    context = machine(tmp_path, Systemd())
    finding = found(units.unit(context, it(enabled=False, active=False)))
    assert ("remove", "disabled, stopped") == (finding.kind, finding.detail)
    finding.act()
    assert ["daemon-reload", "disable", "stop"] == verbs(context)


def test_a_unit_that_does_not_start_tells_its_journal(tmp_path: Path) -> None:
    systemd = Systemd(ActiveState="failed")
    systemd.start_code, systemd.after_start = 1, "failed"
    with pytest.raises(Failed) as caught:
        found(units.unit(machine(tmp_path, systemd), it())).act()
    assert ("systemctl start it.service", 1) == (caught.value.command, caught.value.exit_code)
    assert "the last words" == caught.value.tail


def test_a_unit_that_does_not_start_and_has_no_journal_tells_what_systemctl_said(tmp_path: Path) -> None:
    systemd = Systemd(ActiveState="failed")
    systemd.start_code, systemd.after_start, systemd.journal = 1, "failed", ""
    with pytest.raises(Failed) as caught:
        found(units.unit(machine(tmp_path, systemd), it())).act()
    assert "Job failed." == caught.value.tail


def test_a_failed_restart_tells_nothing_of_the_process_before_and_no_secret(tmp_path: Path) -> None:
    systemd = Systemd()
    systemd.start_code, systemd.after_start = 1, "failed"
    systemd.journal = (
        "java.lang.InterruptedException: of the old one\n\tat a.B.c(B.java:1)\nStopped it.service - It.\n"
        "Starting it.service - It...\njava.net.BindException: hunter22 s3cret-key is taken\n\tat a.B.c(B.java:1)\n"
    )
    context = machine(tmp_path, systemd)
    context.changed.add("conf")
    secret = {"id": "s", "kind": "file", "path": "/s", "secret": True, "content": "hunter22\nAWS_KEY=s3cret-key\n"}
    context.resources = {**context.resources, "s": secret}
    with pytest.raises(Failed) as caught:
        found(units.unit(context, it())).act()
    assert "java.net.BindException: *** *** is taken" == caught.value.tail
    journal = next(line for line in context.ran if line.startswith("journalctl -u"))
    assert " --since @" in journal


def test_a_unit_that_dies_after_its_start_is_a_failure(tmp_path: Path) -> None:
    systemd = Systemd(ActiveState="inactive")
    systemd.after_start = "failed"
    with pytest.raises(Failed, match="not active"):
        found(units.unit(machine(tmp_path, systemd), it())).act()


def test_a_unit_that_nobody_has_is_a_failure(tmp_path: Path) -> None:
    systemd = Systemd(LoadState="not-found", UnitFileState="", ActiveState="inactive")
    with pytest.raises(Failed, match="there is no unit"):
        found(units.unit(machine(tmp_path, systemd), it())).act()


def test_a_restart_is_drained_and_a_start_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drained: list[bool] = []

    @contextlib.contextmanager
    def record(context: Context, unit: str, *, is_needed: bool) -> Iterator[None]:
        drained.append(is_needed)
        yield

    monkeypatch.setattr(draining, "drained", record)
    for state in ("active", "inactive"):
        context = machine(tmp_path, Systemd(ActiveState=state))
        context.changed = {"conf"}
        found = units.unit(context, it())
        assert found is not None
        found.act()

    assert [True, False] == drained


@pytest.mark.parametrize(("age", "expected"), [(60, True), (-60, False)])
def test_a_quiet_mode_that_a_killed_run_left_is_ended_unless_the_unit_restarted_since(
    tmp_path: Path, age: int, expected: bool
) -> None:
    context = machine(tmp_path, Systemd())
    mark = draining.mark_of(context, "it.service")
    mark.parent.mkdir(parents=True)
    mark.touch()
    os.utime(mark, (STARTED + age, STARTED + age))

    found = units.unit(context, it())

    assert expected == (found is not None and "lets builds start again" in found.detail)
