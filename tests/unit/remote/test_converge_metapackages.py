"""A package that is made here: as dpkg reads it, installed once, gone on with after a kill."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, ScriptedContext

from bootstrap.remote.converge import metapackages

IT: dict[str, Any] = {
    "id": "it",
    "kind": "metapackage",
    "name": "our-java",
    "version": "25",
    "provides": ["java7-runtime-headless", "java8-runtime-headless"],
    "summary": "Java 25 runs this",
}


class Dpkg:
    """Answers as dpkg-query and dpkg do, and builds packages with the real dpkg-deb."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.fields = ""

    def __call__(self, line: str) -> Answer:
        words = line.split()
        match words[:2]:
            case ["dpkg-query", "-W"]:
                return self.state or (1, "no packages found matching our-java")
            case ["dpkg-deb", _]:
                return subprocess.run(words, check=True, capture_output=True, text=True).stdout
            case ["dpkg", "--configure"]:
                return ""
            case ["dpkg", "--install"]:
                self.fields = subprocess.run(
                    ["dpkg-deb", "--field", words[-1]], check=True, capture_output=True, text=True
                ).stdout
                self.state = "installed 25"
                return ""
        raise AssertionError(line)


@pytest.mark.parametrize(("state", "kind"), [("", "add"), ("half-installed 25", "add"), ("installed 24", "alter")])
def test_what_is_not_installed_in_its_version_is_made_and_installed(tmp_path: Path, state: str, kind: str) -> None:
    dpkg = Dpkg(state)
    context = ScriptedContext(root=tmp_path, script=dpkg)
    finding = metapackages.metapackage(context, IT)
    assert finding is not None
    assert (kind, "Java 25 runs this") == (finding.kind, finding.detail)
    finding.act()
    told = dict(line.split(": ", 1) for line in dpkg.fields.splitlines())
    assert ("our-java", "25", "all") == (told["Package"], told["Version"], told["Architecture"])
    assert "java7-runtime-headless, java8-runtime-headless" == told["Provides"]
    assert metapackages.metapackage(context, IT) is None
