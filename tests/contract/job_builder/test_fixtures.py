"""Job Builder's own fixtures, from its source distribution, are posted, read back and posted again.

pip downloads the distribution whose hash is in `requirements.lock`; nothing of it is stored in the repository. `render.py`
renders the fixtures. Which roots a Jenkins with the locked plugins knows was seen on a real Jenkins 2.568.2: it kept 961 of
1001 posted items, and refused the other types and the matrix projects without builders with 500. An element of an absent
plugin is dropped without a word, so it refuses nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NAME = "jenkins-job-builder"
DOWNLOAD_SECONDS, RENDER_SECONDS = 300.0, 600.0
# The root elements that Jenkins knows with the locked plugins.
KNOWN = {
    "project",
    "flow-definition",
    "matrix-project",
    "com.cloudbees.hudson.plugins.folder.Folder",
    "jenkins.branch.OrganizationFolder",
    "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",
    "hudson.model.AllView",
    "hudson.model.ListView",
}
XML = {"Content-Type": "application/xml"}
# Fewer than these would mean that fixtures are no longer found: version 6.5.0 has 1,110 items and 69 views.
LEAST_ITEMS, LEAST_VIEWS = 1000, 60


@dataclass(frozen=True)
class Fixture:
    """A rendered fixture: its place in the distribution, `item` or `view`, and its XML."""

    fixture: str
    kind: str
    xml: str

    @property
    def root(self) -> str:
        """The root element."""
        match = re.search(r"<([\w.-]+)", self.xml.partition("?>")[2])
        assert match, self.fixture
        return match[1]

    @property
    def is_known(self) -> bool:
        """Whether a Jenkins with the locked plugins keeps it."""
        return self.root in KNOWN and (self.root != "matrix-project" or "<builders" in self.xml)


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> list[Fixture]:
    """The rendered fixtures of the version of Job Builder that the toolkit uses."""
    folder = download(tmp_path_factory.mktemp("distribution"))
    command = [sys.executable, str(HERE / "render.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RENDER_SECONDS)
    assert 0 == done.returncode, done.stderr[-3000:]
    return [Fixture(**json.loads(line)) for line in done.stdout.splitlines()]


def download(into: Path) -> Path:
    """Download and unpack the source distribution; skips the test where the package index cannot be reached."""
    pinned = re.search(rf"^{NAME}==.*(?:\n    .*)*", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert pinned and f"=={version(NAME)} " in pinned[0]
    (into / "pinned.txt").write_text(pinned[0])
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--require-hashes",
    ]
    done = subprocess.run(
        [*command, "--dest", str(into), "-r", str(into / "pinned.txt")],
        capture_output=True,
        text=True,
        timeout=DOWNLOAD_SECONDS,
    )
    if done.returncode and re.search("connection|resolve|timed out", done.stderr):
        pytest.skip(f"the package index did not give the source distribution of {NAME}: {done.stderr.strip()[-300:]}")
    assert 0 == done.returncode, done.stderr
    (archive,) = into.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(into, filter="data")
    return into / archive.name.removesuffix(".tar.gz")


def test_the_distribution_has_its_fixtures(fixtures: list[Fixture]) -> None:
    kinds = [each.kind for each in fixtures]

    assert kinds.count("item") >= LEAST_ITEMS
    assert kinds.count("view") >= LEAST_VIEWS


def test_fixtures_are_posted_read_and_posted_again(server: Any, fixtures: list[Fixture]) -> None:
    faults = [
        f"{each.fixture}: {fault}" for number, each in enumerate(fixtures) if (fault := play(server, each, number))
    ]

    assert faults == []


def play(server: Any, fixture: Fixture, number: int) -> str:
    """Post one fixture; what was wrong, or an empty text."""
    name, create = f"fixture-{number}", "createView" if fixture.kind == "view" else "createItem"
    created = server.post(create, params={"name": name}, data=fixture.xml.encode(), headers=XML)
    if created.status_code != (200 if fixture.is_known else 500):
        return f"{create} of a {fixture.root} answered {created.status_code}"
    if not fixture.is_known:
        return ""
    path = f"{'view' if fixture.kind == 'view' else 'job'}/{name}"
    try:
        return repeat(server, path)
    finally:
        server.post(f"{path}/doDelete")


def repeat(server: Any, path: str) -> str:
    """Read, post and read again; what was wrong, or an empty text."""
    first = server.get(f"{path}/config.xml")
    again = server.post(f"{path}/config.xml", data=first.content, headers=XML)
    second = server.get(f"{path}/config.xml")
    statuses = [answer.status_code for answer in (first, again, second, server.get(f"{path}/api/json"))]
    if statuses != [200] * 4:
        return f"read, posted again, read again, exported: {statuses}"
    return "" if first.content == second.content else "it changed when it was posted again"
