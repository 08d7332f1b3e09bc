"""`new`: what it writes works at once, and it overwrites nothing."""

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bootstrap import context
from bootstrap.acts import casc, jobs
from bootstrap.cli import parser
from bootstrap.environment import settings
from bootstrap.jenkins.definitions import agents, casc_variables
from bootstrap.jenkins.distribution import load_lock
from bootstrap.projects import creation, folders

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("jobs", "environments", "casc"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "jenkins.lock.yaml", tmp_path)
    for name in ("ROOT", "PROJECT"):
        monkeypatch.setattr(context, name, tmp_path)
        monkeypatch.setattr(folders, name, tmp_path)
    return tmp_path


def rendered(checkout: Path, name: str) -> ElementTree.Element:
    """The job, which an agent of casc/ takes: JobsInvalid otherwise."""
    variables = casc_variables.Variables((), agents.make_builder_variables({}))
    known = agents.read(casc.read(checkout / "casc"), variables)
    variables = {"repository": "file:///srv/git/toolkit.git", "branch": "main"}
    made = jobs.render(checkout / "jobs", variables, load_lock(checkout / "jenkins.lock.yaml").plugins, known)
    return ElementTree.fromstring(made.jobs[name].encode())


def test_a_pipeline_renders_at_once(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == parser.main(["new", "job", "nightly-build"])

    job = rendered(checkout, "nightly-build")
    assert "echo 'hello from nightly-build'" in (job.findtext("definition/script") or "")
    assert "true" == job.findtext("definition/sandbox")
    told = capsys.readouterr().out
    assert "wrote jobs/nightly-build.yaml\nwrote jobs/pipelines/nightly-build.groovy\n" in told
    assert (
        "next: git add jobs/nightly-build.yaml jobs/pipelines/nightly-build.groovy   ./bootstrap.py jobs apply" in told
    )


def test_a_freestyle_job_renders_at_once(checkout: Path) -> None:
    assert 0 == parser.main(["new", "job", "hello", "--freestyle"])

    assert "echo hello from hello" == rendered(checkout, "hello").findtext("builders/hudson.tasks.Shell/command")
    assert not (checkout / "jobs" / "pipelines" / "hello.groovy").exists()


def test_environments_get_blocks_of_their_own(checkout: Path) -> None:
    for name in ("lab", "lab2"):
        assert 0 == parser.main(["new", "environment", name])

    blocks = [settings.load(checkout / "environments" / f"{name}.yaml").network.cidr for name in ("lab", "lab2")]
    assert 2 == len(set(blocks))


def test_an_environment_has_the_project_of_the_others(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / "environments")
    monkeypatch.setattr(folders, "ROOT", checkout / "elsewhere")
    for name in ("first", "second"):
        assert 0 == parser.main(["new", "environment", name])
        path = checkout / "environments" / "first.yaml"
        if name == "first":
            assert creation.name_project(checkout) == settings.load(path).project != "jenkins"
            path.write_text(re.sub(r"project: .*", "project: shop", path.read_text()))

    assert "shop" == settings.load(checkout / "environments" / "second.yaml").project


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["job", "infrastructure"], "writing jobs/infrastructure.yaml   there is a file of this name already"),
        (["environment", "local"], "writing environments/local.yaml   there is a file of this name already"),
        (["job", "../evil"], "'../evil' is not a name for a job"),
        (["job", "canary"], "Duplicate job: 'canary'"),
        (["environment", "Lab"], "'Lab' is not a name for an environment"),
        (["environment", "../lab"], "'../lab' is not a name for an environment"),
    ],
)
def test_what_cannot_be_made_leaves_no_file(
    checkout: Path, capsys: pytest.CaptureFixture[str], command: list[str], words: str
) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}

    assert parser.main(["new", *command]) in {1, 2}

    assert words in capsys.readouterr().err.replace("\n", " ").replace("failed UsageError: ", "")
    assert before == {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
