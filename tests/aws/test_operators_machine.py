"""With `cloud: aws` the operator's machine needs no root, no podman, and no Linux: the commands run as an ordinary user.

The user is another one in a user namespace, which has none of root's rights. It runs the commands with a PATH that has what the
README asks for, and nothing else.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws.conftest import lay_checkout

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = """\
environment: away
cloud: aws
region: eu-central-1
owner: somebody
cost_center: none
network: {cidr: 10.92.0.0/16, nat: one, bastion: {allow: [198.51.100.0/24]}}
access: {ssh: bastion}
jenkins: {source: emulator}
"""
PROGRAMS = ("git", "gpg", "ssh", "ssh-keygen", "env", "uname")
AS_ANOTHER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
# What Linux has and macOS has not, of that which Python can reach.
LINUX_MODULES = {"spwd", "ossaudiodev"}
LINUX_CALLS = {
    *("memfd_create", "pidfd_open", "setns", "unshare", "sched_setaffinity", "sched_getaffinity", "eventfd", "splice"),
    *(
        "copy_file_range",
        "getrandom",
        "posix_fadvise",
        "posix_fallocate",
        "O_PATH",
        "O_TMPFILE",
        "SO_PEERCRED",
        "prctl",
    ),
    *("getresuid", "setresuid", "setresgid", "fdatasync", "F_OFD_SETLK", "inotify_init"),
}
LINUX_FOLDERS = ("/proc/", "/sys/", "/dev/shm")
# They run on the machine, or are the local cloud: none of it is called on the operator's machine for AWS.
ELSEWHERE = ("bootstrap/local/", "bootstrap/remote/converge/", "bootstrap/remote/files/")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bin")
    for name in PROGRAMS:
        program = shutil.which(name)
        assert program, f"{name} is not installed"
        (folder / name).symlink_to(program)
    return str(folder)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lay_checkout(tmp_path_factory.mktemp("own") / "checkout")
    (folder / "environments" / "away.yaml").write_text(ENVIRONMENT)
    return folder


@pytest.fixture
def run(own_cloud: Any, checkout: Path, path: str) -> Iterator[Any]:
    """One command as an ordinary user, against an AWS that answers on loopback."""
    if os.geteuid() == 0 and subprocess.run([*AS_ANOTHER, "true"], capture_output=True).returncode:
        pytest.skip("this kernel makes no user namespaces, and the tests run as root")
    environ = {"PATH": path, "HOME": str(checkout), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    environ |= {"BOOTSTRAP_ROOT": str(checkout), **own_cloud.environment}
    other = [shutil.which("unshare"), *AS_ANOTHER[1:]] if os.geteuid() == 0 else []

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        called = [*other, sys.executable, "-P", "-m", "bootstrap", "-e", "away", "--yes", *arguments]
        return subprocess.run(
            [str(word) for word in called], cwd=checkout, env=environ, capture_output=True, text=True, timeout=300
        )

    yield command


def test_an_ordinary_user_without_podman_plans_and_makes_a_network(run: Any) -> None:
    planned = run("plan")
    assert planned.returncode == 2, planned.stdout + planned.stderr
    assert "changes pending" in planned.stdout, planned.stdout + planned.stderr

    applied = run("network", "apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "AWS::EC2::VPC" in applied.stdout

    for look in ("status", "doctor"):
        looked = run(look)
        assert "Traceback" not in looked.stderr, looked.stderr
        assert "podman" not in looked.stdout + looked.stderr

    destroyed = run("network", "destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr


def modules() -> list[Path]:
    every = [*(ROOT / "bootstrap").rglob("*.py"), ROOT / "bootstrap.py"]
    return sorted(path for path in every if not str(path.relative_to(ROOT)).startswith(ELSEWHERE))


def test_nothing_on_the_operators_machine_is_of_linux_alone() -> None:
    assert [fault for module in modules() for fault in find_linux(module)] == []


def find_linux(module: Path) -> Iterator[str]:
    """What a module uses of Linux alone, with its line."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        named, line = "", getattr(node, "lineno", 0)
        if isinstance(node, ast.Attribute) and node.attr in LINUX_CALLS:
            named = node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(LINUX_FOLDERS):
            named = node.value
        elif isinstance(node, ast.Import) and (names := {alias.name for alias in node.names} & LINUX_MODULES):
            named = ", ".join(sorted(names))
        if named:
            yield f"{module.relative_to(ROOT)}:{line}: {named}"
