"""Checks that Java can draw: Jenkins draws a word at its start, and refuses to run if that fails.

It fails where a library that Java's drawing loads misses another one. No Java is started for that: ldd, the dynamic loader
itself, tells what it would not find. What it says is put as the Java VM puts it, in the journal's form of Jenkins.
"""

from __future__ import annotations

import datetime
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .java import find_java_home

LIBRARIES = ("libawt.so", "libawt_headless.so", "libfontmanager.so")  # in the order in which drawing loads them
_LOADER_SECONDS = 20
_NOT_FOUND = " => not found"
_AFTERWARDS = (
    "Jenkins.instance is missing. Read the documentation of Jenkins.getInstanceOrNull to see what you are doing wrong."
)


class CannotDraw(Exception):
    """`library` misses `missing`; the text is what Jenkins leaves in the journal."""

    def __init__(self, library: Path, missing: str) -> None:
        self.library = library
        self.missing = missing
        super().__init__("\n".join(_report_missing(library, missing)))


def check_drawing(variables: Mapping[str, str]) -> None:
    """CannotDraw if a graphics library of Java misses another library; without Java, builds report the fault."""
    home = find_java_home(variables)
    libraries = [path for name in LIBRARIES if home and (path := home / "lib" / name).is_file()]
    if not home or not libraries:
        return
    own = f"{home}/lib:{home}/lib/server"
    try:
        output = subprocess.run(
            ["ldd", *map(str, libraries)],
            env={"PATH": variables.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "LD_LIBRARY_PATH": own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LOADER_SECONDS,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return  # nothing is known against this Java
    for library, missing in find_first_missing(output, libraries):
        raise CannotDraw(library, missing)


def find_first_missing(output: str, libraries: list[Path]) -> list[tuple[Path, str]]:
    """Each library that misses another, with the first missing one, from the output of ldd."""
    missing: dict[Path, str] = {}
    current = libraries[0]
    by_heading = {f"{path}:": path for path in libraries}  # ldd leaves the heading out where it was asked for one
    for line in output.splitlines():
        current = by_heading.get(line, current)
        if line.endswith(_NOT_FOUND):
            missing.setdefault(current, line.removesuffix(_NOT_FOUND).strip())
    return list(missing.items())


def _report_missing(library: Path, missing: str) -> list[str]:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    fault = f"{library}: {missing}: cannot open shared object file: No such file or directory"
    cause = f"java.lang.UnsatisfiedLinkError: {fault}"
    return [
        f"{now}+0000 [id=1]\tSEVERE\thudson.util.BootFailure#publish: Failed to initialize Jenkins",
        f"hudson.util.AWTProblem: {cause}",
        "\tat hudson.WebAppMain.contextInitialized(WebAppMain.java)",
        f"Caused by: {cause}",
        "\tat java.base/jdk.internal.loader.NativeLibraries.load(Native Method)",
        "\tat java.base/java.lang.System.loadLibrary(System.java)",
        "\tat java.desktop/sun.font.FontManagerFactory.getInstance(FontManagerFactory.java)",
        "\tat java.desktop/java.awt.Font.toString(Font.java)",
        "\tat hudson.util.ChartUtil.<clinit>(ChartUtil.java)",
        "\t... 1 more",
        "java.io.IOException: Failed to start Jetty",
        "\tat winstone.Launcher.<init>(Launcher.java)",
        "\tat winstone.Launcher.main(Launcher.java)",
        f"Caused by: java.lang.IllegalStateException: {_AFTERWARDS}",
        "\tat jenkins.model.Jenkins.get(Jenkins.java)",
        "\tat hudson.util.BootFailure.publish(BootFailure.java)",
        "\tat hudson.WebAppMain.contextInitialized(WebAppMain.java)",
        "\t... 1 more",
    ]
