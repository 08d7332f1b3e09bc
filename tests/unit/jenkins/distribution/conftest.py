"""A mirror, a folder and a lock that agree with each other; each test breaks one of them."""

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.cli import environment_opening
from bootstrap.context import Context
from bootstrap.jenkins.distribution import load_lock, needs
from bootstrap.preconditions import jenkins_files
from tests.unit.jenkins.distribution.authority import Authority, Center
from tests.unit.jenkins.distribution.relocking import Project
from tests.unit.jenkins.distribution.stand_ins import VERSION, WAR, WAR_CONTENT, Mirror, SigningKey, plugin, write_table


@pytest.fixture(scope="module")
def key() -> Iterator[SigningKey]:
    made = SigningKey("right")
    yield made
    made.close()


@pytest.fixture(scope="module")
def other_key() -> Iterator[SigningKey]:
    made = SigningKey("other")
    yield made
    made.close()


@pytest.fixture
def mirror(key: SigningKey) -> Iterator[Mirror]:
    made = Mirror()
    files = {"one": plugin("one", "1.2.vabc", "two:3.0"), "two": plugin("two", "3.1")}
    made.files[WAR] = WAR_CONTENT
    made.files[f"{WAR}.sha256"] = f"{hashlib.sha256(WAR_CONTENT).hexdigest()} jenkins.war\n".encode()
    made.files[f"{WAR}.asc"] = key.sign(WAR_CONTENT)
    made.files["/jenkins.key"] = key.public
    listed: dict[str, dict[str, dict[str, str]]] = {}
    for name, version in (("one", "1.2.vabc"), ("two", "3.1")):
        made.files[f"/plugins/{name}/{version}/{name}.hpi"] = files[name]
        digest = base64.b64encode(hashlib.sha256(files[name]).digest()).decode()
        listed[name] = {version: {"sha256": digest}}
    made.files["/plugin-versions.json"] = json.dumps({"plugins": listed}).encode()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def lock(tmp_path: Path, key: SigningKey) -> Path:
    path = tmp_path / "lock.yaml"
    rows = {"one": needs.Needs("1.2.vabc", "2.541.1", {"two": "3.0"}), "two": needs.Needs("3.1", "2.541.1", {})}
    write_table(tmp_path / needs.NAME, rows)
    path.write_text(
        f"# why\ncore:\n  version: {VERSION}  # LTS\n  path: war-stable/{{version}}/jenkins.war\n  sha256: null\n"
        f"signing_key:\n  fingerprint: {key.fingerprint}\n  url: https://example.invalid/jenkins.key\n"
        'plugins:\n  # first\n  one: {version: "1.2.vabc", sha256: null}\n  two: {version: "3.1", sha256: null}\n'
    )
    return path


@pytest.fixture
def folder(mirror: Mirror, tmp_path: Path) -> Path:
    """What a mirror holds, as files on a disk."""
    made = tmp_path / "files"
    (made / "plugins").mkdir(parents=True)
    (made / "jenkins.war").write_bytes(WAR_CONTENT)
    (made / "jenkins.war.asc").write_bytes(mirror.files[f"{WAR}.asc"])
    (made / "jenkins.key").write_bytes(mirror.files["/jenkins.key"])
    (made / "plugins" / "plugin-versions.json").write_bytes(mirror.files["/plugin-versions.json"])
    for path, content in mirror.files.items():
        if path.endswith(".hpi"):
            (made / "plugins" / Path(path).name).write_bytes(content)
    return made


LOCK = """\
# why
core:
  version: {version}  # LTS
  path: war-stable/{{version}}/jenkins.war
  sha256: null
signing_key:
  fingerprint: {fingerprint}
  url: https://example.invalid/jenkins.key
# what we ask for
requested:
  # used by the jobs
  - bee
  - mole  # because of the garden
  # used by nobody
  - yak
plugins:
  # Asked for.
  bee: {{version: "1.0", sha256: null}}
  mole: {{version: "1.0", sha256: null}}
  yak: {{version: "1.0", sha256: null}}
  # Libraries.
  api: {{version: "1.0", sha256: null}}
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("right")


@pytest.fixture
def center(key: SigningKey, authority: Authority) -> Iterator[Center]:
    mirror = Mirror()
    made = Center(mirror, authority)
    made.serve_core(key)
    made.offer["core"] = {"version": VERSION, "buildDate": "Aug 05, 2026"}
    made.publish("bee", "1.0", "api:1.0")
    made.publish("mole", "1.0")
    made.publish("yak", "1.0", "mole:1.0;resolution:=optional")
    made.publish("api", "1.0")
    yield made
    mirror.server.shutdown()
    mirror.server.server_close()


@pytest.fixture
def project(
    tmp_path: Path,
    center: Center,
    key: SigningKey,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    made = Project(tmp_path, center, capsys)
    made.lock_file.write_text(LOCK.format(version=VERSION, fingerprint=key.fingerprint))
    alone = {name: needs.Needs("1.0", "2.541.1", {}) for name in ("mole", "yak", "api")}
    write_table(made.needs_file, {**alone, "bee": needs.Needs("1.0", "2.541.1", {"api": "1.0"})})
    monkeypatch.setattr(environment_opening, "PROJECT", tmp_path)
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(Context, "lock", property(lambda _: load_lock(made.lock_file)))
    monkeypatch.setattr(environment_opening.environment_lock, "hold_lock", lambda *_: contextlib.nullcontext())
    return made
