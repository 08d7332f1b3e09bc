"""A Java that cannot draw keeps the emulator from starting, in the words that a real Jenkins leaves in the journal."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution.java_graphics import CannotDraw, check_drawing, find_first_missing

EMULATOR = Path(__file__).resolve().parents[5] / "bootstrap/local/emulator"
TOLD = """\
/j/lib/libawt.so:
\tlibc.so.6 => /lib/libc.so.6 (0x1)
/j/lib/libfontmanager.so:
\tlibharfbuzz.so.0 => not found
\tlibfreetype.so.6 => not found
"""


def words_for(home: Path) -> str:
    library = f"{home}/lib/libfontmanager.so"
    return (
        f"java.lang.UnsatisfiedLinkError: {library}: libnowhere.so.0: cannot open shared object file: "
        "No such file or directory"
    )


def test_the_first_that_each_library_misses_is_told() -> None:
    libraries = [Path("/j/lib/libawt.so"), Path("/j/lib/libfontmanager.so")]
    assert [(libraries[1], "libharfbuzz.so.0")] == find_first_missing(TOLD, libraries)


def test_a_single_library_is_told_without_a_heading() -> None:
    library = Path("/j/lib/libfontmanager.so")
    assert [(library, "libharfbuzz.so.0")] == find_first_missing("\tlibharfbuzz.so.0 => not found\n", [library])


def test_a_java_whose_drawing_misses_a_library_is_refused_as_the_java_vm_does(java_that_misses_a_library: Path) -> None:
    home = java_that_misses_a_library
    with pytest.raises(CannotDraw) as caught:
        check_drawing({"JAVA_HOME": str(home), "PATH": os.environ["PATH"]})
    assert (home / "lib/libfontmanager.so", "libnowhere.so.0") == (caught.value.library, caught.value.missing)


def test_a_whole_java_can_draw(java_that_misses_a_library: Path) -> None:
    (java_that_misses_a_library / "lib/libfontmanager.so").unlink()
    check_drawing({"JAVA_HOME": str(java_that_misses_a_library), "PATH": os.environ["PATH"]})


def test_without_java_nothing_is_known_against_it(tmp_path: Path) -> None:
    check_drawing({"PATH": str(tmp_path)})


def test_the_emulator_does_not_start_and_the_cause_is_its_first_exception(
    java_that_misses_a_library: Path, tmp_path: Path
) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/jenkins_emulator").symlink_to(EMULATOR)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tmp_path / "library"),
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(tmp_path / "pycache")),
        "JAVA_HOME": str(java_that_misses_a_library),
        "JENKINS_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "jenkins_emulator"], env=variables, capture_output=True, text=True, timeout=120
    )
    lines = done.stderr.splitlines()
    words = words_for(java_that_misses_a_library)
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000"
    assert re.fullmatch(
        rf"{stamp} \[id=1\]\tSEVERE\thudson\.util\.BootFailure#publish: Failed to initialize Jenkins", lines[0]
    )
    assert f"hudson.util.AWTProblem: {words}" == lines[1]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    assert f"Caused by: {words}" == causes[0]
    assert (1, "") == (done.returncode, done.stdout)
    assert not (tmp_path / "home").exists()


def test_the_look_takes_less_than_the_start_of_a_java(java_that_misses_a_library: Path) -> None:
    (java_that_misses_a_library / "lib/libfontmanager.so").unlink()
    variables = {"JAVA_HOME": str(java_that_misses_a_library), "PATH": os.environ["PATH"]}
    spent = []
    for _ in range(5):
        begun = time.monotonic()
        check_drawing(variables)
        spent.append(time.monotonic() - begun)
    assert min(spent) < 0.2
