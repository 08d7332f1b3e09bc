"""Whether machines can have a user namespace here, and what is said where they cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bootstrap.errors import Missing
from bootstrap.local.machines.ids import FIRST, LAST, WIDTH
from bootstrap.local.machines.namespaces import ensure, find_obstacle

WORKS = (sys.executable, "-c", "")
WHOLE = "         0          0 4294967295\n"


def kernel(tmp_path: Path, *, mapping: str = WHOLE, limit: str = "15000\n", has: bool = True) -> Path:
    """A /proc as the kernel shows it."""
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "sys" / "user").mkdir(parents=True)
    for name in ("uid_map", "gid_map"):
        (tmp_path / "self" / name).write_text(mapping)
    if has:
        (tmp_path / "self" / "ns" / "user").touch()
    (tmp_path / "sys" / "user" / "max_user_namespaces").write_text(limit)
    return tmp_path


@pytest.mark.parametrize(
    "mapping", [WHOLE, f"0 0 1000\n{FIRST} {FIRST} {LAST + WIDTH - FIRST}\n", f"0 1000 {LAST + WIDTH}\n"]
)
def test_nothing_is_in_the_way(tmp_path: Path, mapping: str) -> None:
    assert find_obstacle(kernel(tmp_path, mapping=mapping), WORKS) is None


def test_kernel_without_user_namespaces_is_told(tmp_path: Path) -> None:
    obstacle = find_obstacle(kernel(tmp_path, has=False), WORKS)
    assert obstacle is not None
    assert "CONFIG_USER_NS" in obstacle.found


def test_user_namespaces_that_are_switched_off_are_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(Missing) as refusal:
        ensure(kernel(tmp_path, limit="0\n"), WORKS)
    assert "max_user_namespaces is 0" in refusal.value.found
    assert "no machine is started" in refusal.value.found
    assert "sysctl -w user.max_user_namespaces=" in refusal.value.remedy


@pytest.mark.parametrize("mapping", ["0 100000 65536\n", f"0 0 {LAST}\n", f"{FIRST + 1} 0 4000000\n", ""])
def test_process_that_has_not_the_ids_itself_is_told(tmp_path: Path, mapping: str) -> None:
    obstacle = find_obstacle(kernel(tmp_path, mapping=mapping), WORKS)
    assert obstacle is not None
    assert "user namespace itself" in obstacle.found


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('unshare failed: No space left')"), "No space left"),
        (("no-such-program",), "no-such-program"),
    ],
)
def test_trial_that_fails_is_told_with_what_it_said(tmp_path: Path, trial: tuple[str, ...], said: str) -> None:
    obstacle = find_obstacle(kernel(tmp_path), trial)
    assert obstacle is not None
    assert said in obstacle.found
