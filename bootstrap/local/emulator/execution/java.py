"""Finds Java and Groovy: by JAVA_HOME, then PATH; by GROOVY_HOME, then in Debian's folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..failures import StepFailed

# Small heaps and a quick start: the controller machine is small, and these programs are short.
OPTIONS = (
    *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xss1m", "-Xmx256m", "-Dfile.encoding=UTF-8"),
    "-XX:-UsePerfData",  # a file that nobody reads
    "-Xlog:disable",  # warnings of the virtual machine go to standard output, where answers are expected
    # From 24 on Java warns of what Groovy 2.4 does, in the console of each build; before 23 it does not know the option.
    *("-XX:+IgnoreUnrecognizedVMOptions", "--sun-misc-unsafe-memory-access=allow"),
)


def find_java(variables: Mapping[str, str]) -> str:
    """The java program; StepFailed names the package to install."""
    own = Path(variables.get("JAVA_HOME", "")) / "bin" / "java"
    if variables.get("JAVA_HOME") and own.exists():
        return str(own)
    program = shutil.which("java", path=variables.get("PATH"))
    if not program:
        raise StepFailed("there is no java: install openjdk-25-jre-headless (17 and 21 do too) or set JAVA_HOME")
    return program


def find_java_home(variables: Mapping[str, str]) -> Path | None:
    """The directory of the Java that `find_java` finds; None where there is no Java."""
    try:
        return Path(find_java(variables)).resolve().parent.parent
    except StepFailed:
        return None


def find_groovy_libraries(variables: Mapping[str, str]) -> Path:
    """The directory with Groovy's jars; StepFailed names the package to install."""
    for home in (variables.get("GROOVY_HOME", ""), "/usr/share/groovy"):
        if home and list(Path(home, "lib").glob("groovy-2.*.jar")):
            return Path(home) / "lib"
    raise StepFailed("there is no Groovy 2: install the package groovy or set GROOVY_HOME")


def make_groovy_command(variables: Mapping[str, str], *classes: Path) -> list[str]:
    """java with Groovy's jars and more class directories; append the main class and its arguments."""
    path = ":".join([*(str(entry) for entry in classes), f"{find_groovy_libraries(variables)}/*"])
    return [find_java(variables), *OPTIONS, "-cp", path]
