"""The runtime for cgroup version 1: runc in everything but what it gives away after a container was made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bootstrap.local.machines.cgroups import format_script, write_runtime

RUNC = """\
#!/bin/sh
printf '%s|' "$@" > "$(dirname "$0")/called"
for word; do case $previous in --pid-file) echo $$ > "$word";; esac; previous=$word; done
exit {code}
"""


def runtime(tmp_path: Path, code: int) -> Path:
    """The runtime over a runc that notes how it was called; its container's process is gone at once."""
    runc, ours = tmp_path / "the runc", tmp_path / "runc"
    runc.write_text(RUNC.format(code=code))
    ours.write_text(format_script(str(runc)))
    for file in (runc, ours):
        file.chmod(0o755)
    return ours


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    "words",
    [["--log", "a b", "start", "id"], ["delete", "--force", "id"], ["exec", "--pid-file", "/dev/null", "x"], []],
)
def test_everything_else_is_runcs(tmp_path: Path, words: list[str], code: int) -> None:
    done = subprocess.run([runtime(tmp_path, code), *words])
    assert done.returncode == code
    assert (tmp_path / "called").read_text().rstrip("|") == "|".join(words)


def test_container_that_was_not_made_fails_as_runc_did(tmp_path: Path) -> None:
    words = ["--log", "a b", "create", "--bundle", "/b", "--pid-file", str(tmp_path / "pid"), "id"]
    assert subprocess.run([runtime(tmp_path, 4), *words]).returncode == 4
    assert (tmp_path / "called").read_text().rstrip("|") == "|".join(words)


def test_container_whose_cgroups_cannot_be_given_away_counts_as_not_made(tmp_path: Path) -> None:
    words = ["create", "--pid-file", str(tmp_path / "pid"), "id"]  # its process has ended, so it has no cgroup any more
    assert subprocess.run([runtime(tmp_path, 0), *words], capture_output=True).returncode == 1


def test_runtime_is_written_once_and_can_be_run(tmp_path: Path) -> None:
    path = write_runtime(tmp_path / "cloud" / "runc")
    before = path.stat()
    assert path.stat().st_mode & 0o777 == 0o755
    assert write_runtime(path).stat().st_mtime_ns == before.st_mtime_ns
    path.write_text("an older one")
    write_runtime(path)
    assert path.read_text().startswith("#!/bin/sh\n")
    assert [each.name for each in path.parent.iterdir()] == ["runc"]
