"""Artifacts: the same files give the same bytes, and the machine can unpack them."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bootstrap.remote import artifacts
from bootstrap.remote.converge.core import ARTIFACTS, Context
from bootstrap.remote.converge.file_tree import tree


@dataclass
class Resolved:
    kind: Literal["war", "emulator"] = "emulator"
    version: str = "2.1"
    plugins: dict[str, str] = field(default_factory=lambda: {"git": "5"})
    war: Path | None = None
    plugin_files: dict[str, Path] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)


def package(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "data" / "page.html").write_text("<p>")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_text("")
    return folder


def test_the_same_files_give_the_same_bundle_whatever_their_times(tmp_path: Path) -> None:
    one, other = package(tmp_path / "one"), package(tmp_path / "other")
    os.utime(one / "__init__.py", (1, 1))
    (other / "__init__.py").chmod(0o600)
    assert artifacts.bundle_folder(one, "it") == artifacts.bundle_folder(other, "it")


def test_a_bundle_holds_every_file_but_byte_code(tmp_path: Path) -> None:
    bundle, content = artifacts.bundle_folder(package(tmp_path / "one"), "it")
    assert {"it/__init__.py", "it/data/page.html"} == set(bundle.files)
    assert bundle.sha256 == artifacts.hash_of(content)


def test_the_machine_unpacks_a_bundle_to_its_files(tmp_path: Path) -> None:
    bundle, content = artifacts.bundle_folder(package(tmp_path / "one"), "it")
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    files = [{"path": name, "sha256": digest} for name, digest in bundle.files.items()]
    resource = {"id": "it", "path": "/opt/it", "archive": bundle.sha256, "files": files}
    finding = tree(context, resource)
    assert finding is not None and (bundle.sha256,) == finding.missing
    context.artifact(bundle.sha256).write_bytes(content)
    finding.act()
    assert "<p>" == context.path("/opt/it/it/data/page.html").read_text()
    assert tree(context, resource) is None


def test_the_emulator_goes_as_one_artifact(tmp_path: Path) -> None:
    software, sent = artifacts.pack(Resolved(), package(tmp_path / "emulator"))
    assert software.emulator is not None and [software.emulator.sha256] == list(sent)
    assert {"jenkins_emulator/__init__.py", "jenkins_emulator/data/page.html"} == set(software.emulator.files)


def test_the_war_and_each_plugin_go_as_artifacts_of_their_own(tmp_path: Path) -> None:
    war, git = tmp_path / "jenkins.war", tmp_path / "git.hpi"
    war.write_bytes(b"war")
    git.write_bytes(b"git")
    software, sent = artifacts.pack(Resolved("war", war=war, plugin_files={"git": git}), tmp_path)
    assert {software.war: war, software.plugin_files["git"]: git} == sent
