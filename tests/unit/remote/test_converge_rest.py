"""Kernel settings, commands and accounts."""

import os
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedContext

from bootstrap.remote.converge import accounts, commands, kernel
from bootstrap.remote.converge.core import Context, Failed


def kernel_of(root: Path, *, is_container: bool = False, **values: str) -> Context:
    for key, value in values.items():
        place = root / "proc/sys" / key.replace("_", "/", 1)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{value}\n")
    if is_container:
        (root / "run").mkdir()
        (root / "run/.containerenv").write_text("")
    return Context(root=root)


def sysctl(**values: str) -> dict[str, Any]:
    wished = {key.replace("_", ".", 1): value for key, value in values.items()}
    return {"id": "kernel", "kind": "sysctl", "path": "/etc/sysctl.d/x.conf", "values": wished}


def test_kernel_settings_are_set_now_and_for_the_next_boot(tmp_path: Path) -> None:
    context = kernel_of(tmp_path, net_a="0", fs_b="1")
    it = sysctl(net_a="1", fs_b="1")
    finding = kernel.sysctl(context, it)
    assert finding is not None and "mode 0644, net.a" == finding.detail
    finding.act()
    assert ("1", "fs.b = 1\nnet.a = 1\n") == (
        (tmp_path / "proc/sys/net/a").read_text(),
        (tmp_path / "etc/sysctl.d/x.conf").read_text(),
    )
    assert kernel.sysctl(context, it) is None


def test_in_a_container_what_the_hosts_kernel_owns_is_noted_and_left(tmp_path: Path) -> None:
    context = kernel_of(tmp_path, is_container=True, fs_b="0")
    it = sysctl(fs_b="1", net_absent="1")
    finding = kernel.sysctl(context, it)
    assert finding is not None
    finding.act()
    assert kernel.sysctl(context, it) is None
    assert "0\n" == (tmp_path / "proc/sys/fs/b").read_text()
    assert {"set by the host's kernel, not changed: fs.b, net.absent"} == set(context.notes)


def test_a_command_runs_when_its_sources_are_newer_than_its_product(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("")
    context = ScriptedContext(root=tmp_path, script={"make": ""})
    it = {"id": "c", "kind": "command", "command": ["make"], "creates": "/product", "sources": ["/source"]}
    finding = commands.command(context, it)
    assert finding is not None and "makes /product" == finding.detail
    (tmp_path / "product").write_text("")
    os.utime(tmp_path / "source", (1, 1))
    assert commands.command(context, it) is None
    os.utime(tmp_path / "product", (0, 0))
    finding = commands.command(context, it)
    assert finding is not None and "newer: source" == finding.detail
    finding.act()
    assert ["make"] == context.ran


def test_a_command_is_not_run_when_its_check_succeeds_or_its_program_is_absent(tmp_path: Path) -> None:
    context = ScriptedContext(root=tmp_path, script={"check": "", "check no": (1, "")})
    it = {"id": "c", "kind": "command", "command": ["do"], "unless": ["check"]}
    assert commands.command(context, it) is None
    assert commands.command(context, {**it, "unless": ["check", "no"], "needs": "/usr/sbin/absent"}) is None
    assert commands.command(context, {**it, "unless": ["check", "no"]}) is not None


def test_an_account_with_another_number_is_refused() -> None:
    with pytest.raises(Failed, match="has the gid 0, not 870"):
        accounts.group(ScriptedContext(), {"name": "root", "gid": 870})
    with pytest.raises(Failed, match="has the uid 0, not 870"):
        accounts.user(ScriptedContext(), {"name": "root", "uid": 870, "group": "root", "home": "/", "shell": "/bin/sh"})


def test_an_account_that_is_missing_is_made_with_its_number() -> None:
    context = ScriptedContext(script=lambda _line: "")
    wished = {"name": "no-such-user", "uid": 870, "group": "no-such-user", "home": "/home/x", "shell": "/bin/sh"}
    for finding in (accounts.group(context, {"name": "no-such-user", "gid": 870}), accounts.user(context, wished)):
        assert finding is not None
        finding.act()
    assert [
        "groupadd --system --gid 870 no-such-user",
        "useradd --system --no-create-home --uid 870 --gid no-such-user --home-dir /home/x --shell /bin/sh no-such-user",
    ] == context.ran
