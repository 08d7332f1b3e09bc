"""Jenkins' files are judged before anything is made, and their source is asked once for each run."""

import base64
import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.cli import environment_opening, parser
from bootstrap.cli.commands import find_commands
from bootstrap.context import Context
from bootstrap.doctor.examine import check_jenkins as examine_jenkins
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import JenkinsSettings
from bootstrap.environment.settings import load
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock, needs
from bootstrap.jenkins.distribution.needs import Needs
from bootstrap.local import cloud as local_cloud
from bootstrap.local.cloud import LocalCloud
from bootstrap.preconditions import jenkins_files
from bootstrap.runs.journal import Journal, Run
from tests.unit.jenkins.distribution.stand_ins import VERSION, WAR, Mirror, closed_port, mirrored, plugin, write_table

Opened = Callable[[JenkinsSettings], Context]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run("run-1", Journal(tmp_path / "run"), out=io.StringIO())


@pytest.fixture
def opened(tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """An environment of that source, with the tests' lock and a folder for downloads of its own."""
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")

    def make(source: JenkinsSettings) -> Context:
        chosen = load(_environment(tmp_path, source))
        made = Context(tmp_path / "trial.yaml", chosen)
        made.__dict__["lock"] = load_lock(lock)
        return made

    return make


def _environment(tmp_path: Path, source: JenkinsSettings) -> Path:
    path = tmp_path / "trial.yaml"
    told = f"{{source: {source.source}, mirror: '{source.mirror or 'http://x'}', fallback: {source.fallback}}}"
    path.write_text(f"environment: trial\ncloud: local\nowner: a\ncost_center: b\njenkins: {told}\n")
    return path


def unanswered() -> JenkinsSettings:
    return JenkinsSettings(source="mirror", mirror=f"http://127.0.0.1:{closed_port()}/", fallback="emulator")


def test_a_launch_downloads_every_file_first_and_asks_the_source_once(mirror: Mirror, opened: Opened, run: Run) -> None:
    context = opened(mirrored(mirror))

    jenkins_files.prepare(context, run, loads=True)
    mirror.asked.clear()
    found = jenkins_files.obtain(context, run)

    assert ("war", {"one", "two"}) == (found.kind, set(found.plugin_files))
    assert [] == mirror.asked
    assert "has no checksum for the core and 2 plugins" in run.notices[0]
    assert "are now in it: review and commit it" in run.notices[1]


def test_a_plan_downloads_nothing_and_writes_no_checksum(
    mirror: Mirror, opened: Opened, run: Run, tmp_path: Path, lock: Path
) -> None:
    before = lock.read_text()

    jenkins_files.prepare(opened(mirrored(mirror)), run, loads=False)

    assert before == lock.read_text()
    assert not (tmp_path / "downloads").exists()
    (notice,) = run.notices
    assert "lock.yaml has no checksum for the core and 2 plugins" in notice


def test_a_plan_refuses_a_source_that_lacks_a_file(mirror: Mirror, opened: Opened, run: Run) -> None:
    del mirror.files["/plugins/two/3.1/two.hpi"], mirror.files[f"{WAR}.asc"]

    with pytest.raises(DistributionFailed) as raised:
        jenkins_files.prepare(opened(mirrored(mirror, "emulator")), run, loads=False)

    assert [
        f"{mirror.url}{WAR}.asc: HTTP 404 Not Found",
        f"{mirror.url}/plugins/two/3.1/two.hpi: HTTP 404 Not Found",
    ] == (raised.value.found.splitlines())


@pytest.mark.parametrize("loads", [True, False])
def test_a_source_that_does_not_answer_is_asked_once_per_run(
    opened: Opened, run: Run, monkeypatch: pytest.MonkeyPatch, loads: bool
) -> None:
    asked: list[str] = []
    real = jenkins_files.source_check.transfer.probe

    def probe(url: str) -> None:
        asked.append(url)
        real(url)

    monkeypatch.setattr(jenkins_files.source_check.transfer, "probe", probe)
    context, made = opened(unanswered()), opened(unanswered())

    jenkins_files.prepare(context, run, loads=loads)
    made.take_over(context)
    found = jenkins_files.obtain(made, run)

    assert ("emulator", 1) == (found.kind, len(asked))
    assert 1 == sum("the emulator is used instead" in notice for notice in run.notices)


def test_a_launch_is_refused_under_the_environments_lock_and_before_the_cloud_is_reached(
    mirror: Mirror, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(LocalCloud, "bring_up", lambda *_, **__: reached.append("up"))
    monkeypatch.setattr(LocalCloud, "attach", lambda *_: reached.append("attach"))
    monkeypatch.setattr(
        environment_opening.environment_lock, "hold_lock", lambda *_: contextlib.nullcontext(reached.append("lock"))
    )
    monkeypatch.setattr(launch, "check", lambda _: None)
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(environment_opening, "PROJECT", tmp_path)
    monkeypatch.setattr(Context, "lock", load_lock(lock))
    mirror.files["/plugins/two/3.1/two.hpi"] = b"another file"
    environment = str(_environment(tmp_path, mirrored(mirror)))

    with pytest.raises(DistributionFailed) as raised:
        find_commands()["launch"].run(parser.parse(["-e", environment, "launch"]))

    assert "downloading two.hpi from" in raised.value.doing
    assert ["lock"] == reached


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: None, ("jenkins", Health.GOOD, f"{VERSION} is available from")),
        (lambda files: files.pop(f"{WAR}.asc"), ("jenkins", Health.BAD, "jenkins.war.asc: HTTP 404 Not Found")),
        (lambda files: files.pop(WAR), ("jenkins", Health.BAD, "HTTP 404 Not Found")),
    ],
)
def test_doctor_reports_the_lock_its_checksums_and_its_source(
    mirror: Mirror, opened: Opened, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, bytes]], Any],
    expected: tuple[str, Health, str],
) -> None:  # fmt: skip
    monkeypatch.setattr(jenkins_files, "check_lock", lambda _: None)
    change(mirror.files)

    lock, sums, source, *_ = examine_jenkins(opened(mirrored(mirror)))

    assert ("lock", "ok", True) == (lock.name, lock.health, "2 plugins have all their dependencies" in lock.found)
    assert ("checksums", "ok", True) == (sums.name, sums.health, "has no checksum" in sums.found)
    assert expected == (source.name, source.health, expected[2] if expected[2] in source.found else source.found)


def test_doctor_reports_what_the_lock_lacks_and_continues(mirror: Mirror, opened: Opened, tmp_path: Path) -> None:
    write_table(tmp_path / needs.NAME, {"one": Needs("1.2.vabc", None, {"four": "4"}), "two": Needs("3.1", None, {})})

    (found,) = examine_jenkins(opened(mirrored(mirror)))

    assert ("lock", Health.BAD, True) == (found.name, found.health, "one 1.2.vabc needs four 4" in found.found)


def _invent(lock: Path, tmp_path: Path, how: str) -> str:
    """Change the version of the plugin 'two' to an invented one in the lock, and maybe in its row; returns the reason."""
    table = tmp_path / needs.NAME
    lock.write_text(lock.read_text().replace('two: {version: "3.1"', 'two: {version: "99.9"'))
    if how == "the lock alone":
        return "jenkins.needs.yaml:8 is about 3.1"
    if how == "the row, too":
        table.write_text(table.read_text().replace('version: "3.1"', 'version: "99.9"'))
        return "its row in jenkins.needs.yaml:8 was written by hand"
    table.write_text(table.read_text().partition("two:\n")[0])
    return "jenkins.needs.yaml does not have it"


INVENTIONS = ["the lock alone", "the row, too", "no row at all"]


@pytest.mark.parametrize("how", INVENTIONS)
@pytest.mark.parametrize("loads", [True, False])
def test_an_invented_version_is_never_silent_where_the_emulator_takes_jenkins_place(
    opened: Opened, run: Run, lock: Path, tmp_path: Path, how: str, loads: bool
) -> None:
    reason = _invent(lock, tmp_path, how)

    context = opened(unanswered())
    jenkins_files.check_lock(context)
    jenkins_files.prepare(context, run, loads=loads)

    assert f"cannot be judged yet: two 99.9 ({reason}): the toolkit does not know whether" in run.notices[0]
    assert "'jenkins lock' asks the update center" in run.notices[0]


@pytest.mark.parametrize("command", [["plan"], ["launch"], ["host", "plan"], ["host", "apply"]])
def test_every_command_that_uses_the_lock_says_what_cannot_be_judged(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    class Reached(Exception):
        pass

    def reach(*_: Any, **__: Any) -> None:
        raise Reached

    monkeypatch.setattr(LocalCloud, "bring_up", reach)
    monkeypatch.setattr(LocalCloud, "attach", reach)
    monkeypatch.setattr(local_cloud, "open_for_plan", reach)
    monkeypatch.setattr(environment_opening.environment_lock, "hold_lock", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(launch, "check", lambda _: None)
    monkeypatch.setattr(environment_opening, "PROJECT", tmp_path)
    _invent(lock, tmp_path, "the row, too")
    monkeypatch.setattr(Context, "lock", load_lock(lock))
    environment = str(_environment(tmp_path, unanswered()))

    with pytest.raises(Reached):
        find_commands()[command[0]].run(parser.parse(["-e", environment, *command]))

    assert "! cannot be judged yet: two 99.9 (its row in jenkins.needs.yaml:8 was written by hand)" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("how", INVENTIONS)
def test_doctor_never_calls_an_invented_version_good(opened: Opened, lock: Path, tmp_path: Path, how: str) -> None:
    reason = _invent(lock, tmp_path, how)

    found, *_ = examine_jenkins(opened(unanswered()))

    assert ("lock", Health.WARNING) == (found.name, found.health)
    assert f"cannot be judged yet: two 99.9 ({reason})" in found.found
    assert "have all their dependencies" not in found.found


@pytest.mark.parametrize("how", INVENTIONS)
def test_an_invented_version_is_refused_by_a_source_that_does_not_have_it(
    mirror: Mirror, opened: Opened, run: Run, lock: Path, tmp_path: Path, how: str
) -> None:
    _invent(lock, tmp_path, how)

    with pytest.raises(DistributionFailed) as raised:
        jenkins_files.prepare(opened(mirrored(mirror)), run, loads=True)

    assert "it has none for two 99.9" == raised.value.found


def test_a_new_plugin_is_judged_by_its_own_manifest_at_the_first_download_and_known_from_then_on(
    mirror: Mirror, opened: Opened, run: Run, lock: Path, tmp_path: Path
) -> None:
    _invent(lock, tmp_path, "no row at all")
    _publish(mirror, plugin("two", "99.9", "one:1.0"))

    jenkins_files.prepare(opened(mirrored(mirror)), run, loads=True)

    row = needs.load_table(tmp_path / needs.NAME).rows["two"]
    assert ("99.9", "2.541.1", {"one": "1.0"}, True) == (row.version, row.least_core, row.needs, row.is_recorded)
    assert "jenkins.needs.yaml has what the manifest of two says now: review and commit it" == run.notices[-1]
    assert "" == jenkins_files.find_unjudged(opened(mirrored(mirror)))


def test_the_manifest_of_a_new_plugin_that_needs_what_the_lock_does_not_have_is_refused(
    mirror: Mirror, opened: Opened, run: Run, lock: Path, tmp_path: Path
) -> None:
    _invent(lock, tmp_path, "the row, too")
    _publish(mirror, plugin("two", "99.9", "five:1.0"))

    with pytest.raises(DistributionFailed) as raised:
        jenkins_files.prepare(opened(mirrored(mirror)), run, loads=True)

    assert "two 99.9 needs five 1.0, which the lock does not have" == raised.value.found


def _publish(mirror: Mirror, content: bytes) -> None:
    """Let the mirror have the version 99.9 of the plugin 'two'."""
    mirror.files["/plugins/two/99.9/two.hpi"] = content
    listed = json.loads(mirror.files["/plugin-versions.json"])
    listed["plugins"]["two"]["99.9"] = {"sha256": base64.b64encode(hashlib.sha256(content).digest()).decode()}
    mirror.files["/plugin-versions.json"] = json.dumps(listed).encode()
