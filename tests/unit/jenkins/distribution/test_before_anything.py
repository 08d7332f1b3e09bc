"""Jenkins' files are judged before anything is made, and their source is asked once for each run."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.cli import opening, parser
from bootstrap.cli.commands import find_commands
from bootstrap.context import Context
from bootstrap.doctor.examine import jenkins as examine_jenkins
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import JenkinsSettings
from bootstrap.environment.settings import load
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock
from bootstrap.local.cloud import LocalCloud
from bootstrap.preconditions import jenkins_files
from bootstrap.runs.journal import Journal, Run
from tests.unit.jenkins.distribution.stand_ins import VERSION, WAR, Mirror, closed_port, mirrored

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
    assert "now: review and commit it" in run.notices[1]


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
    real = jenkins_files.presence.transfer.probe

    def probe(url: str) -> None:
        asked.append(url)
        real(url)

    monkeypatch.setattr(jenkins_files.presence.transfer, "probe", probe)
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
    monkeypatch.setattr(LocalCloud, "up", lambda *_, **__: reached.append("up"))
    monkeypatch.setattr(LocalCloud, "attach", lambda *_: reached.append("attach"))
    monkeypatch.setattr(opening.environment_lock, "held", lambda *_: contextlib.nullcontext(reached.append("lock")))
    monkeypatch.setattr(launch, "check", lambda _: None)
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(opening, "ROOT", tmp_path)
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

    lock, sums, source = examine_jenkins(opened(mirrored(mirror)))

    assert ("lock", "ok", True) == (lock.name, lock.health, "2 plugins have all their dependencies" in lock.found)
    assert ("checksums", "ok", True) == (sums.name, sums.health, "has no checksum" in sums.found)
    assert expected == (source.name, source.health, expected[2] if expected[2] in source.found else source.found)


def test_doctor_reports_what_the_lock_lacks_and_continues(mirror: Mirror, opened: Opened) -> None:
    """The tests' lock has plugins of which the project's own table of needs knows nothing."""
    (found,) = examine_jenkins(opened(mirrored(mirror)))

    assert ("lock", Health.BAD, True) == (found.name, found.health, "one 1.2.vabc has no row" in found.found)
