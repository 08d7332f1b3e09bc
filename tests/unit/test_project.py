"""The rules that the tree keeps: who imports whom, one door for each third party, and a lock with hashes."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bootstrap"

# Third party (top-level module): the only places that may import it, as paths under bootstrap/.
DOORS = {
    "fabric": ("remote/shell.py",),
    "paramiko": (
        "remote/shell.py",
        "remote/ordered_transport.py",
        "remote/exec_channel.py",
        "remote/private_key.py",
        "local/aws/",
    ),
    "invoke": ("remote/shell.py",),
    "boto3": ("cloud/world.py", "local/aws/", "local/emulator/execution/fleet/aws.py"),
    "botocore": (
        *("cloud/world.py", "cloud/instance.py", "cloud/session_manager.py", "cloud/data_channel.py"),
        *("acts/stack.py", "stacks/steps.py", "local/aws/", "local/emulator/execution/fleet/aws.py"),
    ),
    "jenkins": ("cloud/world.py",),
    "jenkins_jobs": ("jenkins/definitions/rendering.py",),
    "moto": ("local/aws/",),
    "testinfra": (),
    "aiohttp": ("local/emulator/",),
    "aiosmtpd": ("local/mail.py",),
    "bcrypt": ("jenkins/controller/password_hash.py", "local/emulator/"),
}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """Every absolute module that a file imports, also inside functions; imports for type checkers alone are left out."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        and "TYPE_CHECKING" in {getattr(node.test, "id", ""), getattr(node.test, "attr", "")}
        for child in node.body
    }
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "bootstrap" else {node.module}
            )
    return frozenset(found)


def within(path: Path, place: str) -> bool:
    relative = path.relative_to(PACKAGE).as_posix()
    return relative.startswith(place) if place.endswith("/") else relative == place


@pytest.mark.parametrize("library", DOORS)
def test_a_third_party_has_one_door(library: str) -> None:
    users = [path for path in sources() if any(name.split(".")[0] == library for name in imported(path))]

    beside = [str(path) for path in users if not any(within(path, door) for door in DOORS[library])]

    assert [] == beside


# The act on an account, which is none of a launch: it brings its stack up by the stack act.
OF_ACCOUNT = {"account", "account_standing"}


def test_acts_do_not_know_each_other() -> None:
    acts = {path.stem for path in (PACKAGE / "acts").glob("*.py")} - {"__init__"} - OF_ACCOUNT

    wrong = [
        f"{act} imports {name}"
        for act in acts
        for name in imported(PACKAGE / "acts" / f"{act}.py")
        if name.startswith("bootstrap.acts") and name != f"bootstrap.acts.{act}"
    ]

    assert {"stack", "host", "casc", "jobs", "verify"} == acts
    assert [] == wrong


def test_what_runs_before_the_environment_needs_only_python() -> None:
    import sys

    assert {name.split(".")[0] for name in imported(ROOT / "bootstrap.py")} <= sys.stdlib_module_names
    for path in (PACKAGE / "remote" / "converge").glob("*.py"):
        assert {
            name.split(".")[0] for name in imported(path) if not name.startswith("bootstrap.remote.converge")
        } <= sys.stdlib_module_names


def test_each_third_party_is_in_the_lock_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)

    unhashed = [block for block in re.split(r"\n(?=[a-z])", lock) if "==" in block and "--hash=sha256:" not in block]

    assert [] == unhashed
    assert {"moto", "uv", "fabric", "jenkins-job-builder", "pytest-testinfra"} <= set(pinned)
