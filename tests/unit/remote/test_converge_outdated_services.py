"""Services that run what was replaced under them: told by the kernel, restarted, and named by their packages."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripted import ScriptedContext

from bootstrap.remote.converge import outdated_services, units

MAPS = """\
5581c1a00000-5581c1b00000 r-xp 00000000 fd:01 1001                       /usr/sbin/nginx (deleted)
5581c1b00000-5581c1c00000 r--p 00100000 fd:01 1001                       /usr/sbin/nginx (deleted)
7f10a0000000-7f10a0100000 r-xp 00000000 fd:01 1002                       /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)
7f10a0100000-7f10a0200000 r-xp 00000000 fd:01 1003                       /usr/lib/x86_64-linux-gnu/libc.so.6
7f10a0200000-7f10a0300000 r--p 00000000 fd:01 1004                       /usr/lib/locale/C.utf8/LC_CTYPE (deleted)
7f10a0300000-7f10a0400000 r-xp 00000000 00:01 1005                       /memfd:jit (deleted)
7f10a0400000-7f10a0500000 r-xp 00000000 00:01 1006                       /tmp/jna123.so (deleted)
7f10a0500000-7f10a0600000 r-xp 00000000 00:01 1007                       /var/lib/jenkins/usr/lib/x.so (deleted)
7f10a0600000-7f10a0700000 rwxp 00000000 00:00 0
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0                          [vdso]
"""
CODE = ["/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/sbin/nginx"]


def it(**properties: Any) -> dict[str, Any]:
    return {"id": "it", "kind": "unit", "name": "nginx.service", "reload": True, "runs_on": ["nginx"], **properties}


class Machine:
    """Answers as systemctl and dpkg-query do; what runs is in `maps`."""

    def __init__(self, root: Path, maps: str = MAPS, pid: str = "7") -> None:
        self.pid = pid
        self.maps = root / "proc/7/maps"
        self.maps.parent.mkdir(parents=True)
        self.maps.write_text(maps)
        self.context = ScriptedContext(root=root, script=self)

    def __call__(self, line: str) -> str | tuple[int, str]:
        match line.split()[:2]:
            case ["systemctl", "show"]:
                return f"LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nMainPID={self.pid}\n"
            case ["systemctl", "restart"]:
                self.maps.write_text("")
                return ""
            case ["systemctl", _]:
                return ""
            case ["dpkg-query", "-S"]:
                return "libssl3t64:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3\nnginx: /usr/sbin/nginx\n"
        raise AssertionError(line)


def test_executed_files_of_the_system_count_and_nothing_else(inspector: ModuleType) -> None:
    assert CODE == sorted(set(outdated_services.deleted_code(MAPS)))
    assert CODE == inspector.find_deleted_code(MAPS)


def test_a_unit_whose_program_was_replaced_is_restarted_though_a_reload_is_its_way(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    finding = units.unit(machine.context, it())
    assert finding is not None
    assert ("alter", "restarted: nginx was replaced, libssl3t64 was replaced") == (finding.kind, finding.detail)
    assert () == finding.causes  # neither an edit of a file here nor code that has moved on
    finding.act()
    assert "systemctl restart nginx.service" in machine.context.ran
    machine.context.unit_states.clear()
    assert units.unit(machine.context, it()) is None


def test_a_replaced_program_is_told_beside_a_changed_file(tmp_path: Path) -> None:
    context = Machine(tmp_path).context
    context.resources = {"conf": {"id": "conf", "kind": "file", "path": "/conf"}}
    context.changed.add("conf")
    finding = units.unit(context, it(restart_on=["conf"]))
    assert finding is not None
    assert "restarted: conf, nginx was replaced, libssl3t64 was replaced" == finding.detail


def test_a_file_of_no_package_is_told_by_its_path(tmp_path: Path) -> None:
    gone = "7f10a0000000-7f10a0100000 r-xp 00000000 fd:01 9  /usr/lib/jvm/old/lib/server/libjvm.so (deleted)\n"
    context = Machine(tmp_path, gone).context
    assert ["/usr/lib/jvm/old/lib/server/libjvm.so was replaced"] == outdated_services.find_outdated_code(
        context, it(), "7"
    )


@pytest.mark.parametrize("pid", ["", "0", "8"])
def test_a_unit_without_a_living_process_runs_nothing_old(tmp_path: Path, pid: str) -> None:
    assert units.unit(Machine(tmp_path, pid=pid).context, it()) is None


def test_a_unit_that_names_no_packages_is_not_looked_at(tmp_path: Path) -> None:
    assert units.unit(Machine(tmp_path).context, it(runs_on=[])) is None


def test_this_kernel_marks_a_running_program_that_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inspector: ModuleType
) -> None:
    monkeypatch.setattr(outdated_services, "_SYSTEM", f"{tmp_path}/")
    program = tmp_path / "sleep"
    shutil.copy(shutil.which("sleep") or sys.executable, program)
    with subprocess.Popen([program, "60"]) as process:
        try:
            deadline = time.monotonic() + 20
            # Popen returns before the kernel has mapped the program.
            while str(program) not in inspector.read_maps(str(process.pid)) and time.monotonic() < deadline:
                time.sleep(0.01)
            before = list(outdated_services.deleted_code(inspector.read_maps(str(process.pid))))
            shutil.copy(program, tmp_path / "new")
            (tmp_path / "new").replace(program)
            after = set(outdated_services.deleted_code(inspector.read_maps(str(process.pid))))
        finally:
            process.kill()
    assert ([], {str(program)}) == (before, after)
    assert "" == inspector.read_maps(str(process.pid))
