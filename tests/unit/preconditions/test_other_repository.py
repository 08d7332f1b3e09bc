"""Stacks that another repository launched are told."""

import subprocess
from pathlib import Path

import pytest

from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.preconditions import other_repository
from bootstrap.runs.journal import Run, start
from bootstrap.values import Stack

FOREIGN = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in ("bootstrap.context", "bootstrap.preconditions.other_repository"):
        monkeypatch.setattr(f"{module}.PROJECT", tmp_path)
    (tmp_path / "lab.yaml").write_text("environment: lab\ncloud: aws\nowner: x\ncost_center: x\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def tell(project: Path, **commits: str) -> tuple[list[str], Run]:
    """The notices about stacks with these tags, and the run."""
    run = start(project / ".bootstrap" / "lab" / "runs")
    with Context(project / "lab.yaml", settings.load(project / "lab.yaml")) as context:
        context.__dict__["stacks"] = {
            name: Stack(f"jenkins-lab-{name}", "CREATE_COMPLETE", tags={"Commit": commit})
            for name, commit in commits.items()
        }
        other_repository.report_other_repository(context, run)
    return run.notices, run


def test_a_stack_of_a_commit_that_is_not_here_is_told(project: Path) -> None:
    (notice,), _ = tell(project, network=f"{FOREIGN}-dirty", acls=FOREIGN)

    assert notice.startswith(
        "the stack jenkins-lab-network was launched from commit 0123456789ab, which this repository"
    )
    assert 1 == len(tell(project, network=FOREIGN)[0]), "a run that only told it is no record"


def test_stacks_from_here_are_not_told(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    head = git(project, "rev-parse", "HEAD")

    assert [] == tell(project)[0]
    assert [] == tell(project, network=FOREIGN, acls=f"{head}-dirty")[0], "one of them is known"
    _, run = tell(project)
    run.event("commit", commit=f"{FOREIGN}-dirty")
    assert [] == tell(project, network=FOREIGN)[0], "an earlier run in this folder launched it"

    shallow = tmp_path_factory.mktemp("clone") / "shallow"
    git(project, "commit", "-q", "--allow-empty", "-m", "two")
    git(project, "clone", "-q", "--depth", "1", f"file://{project}", str(shallow))
    assert other_repository.toolkit_repository.has_one_of([FOREIGN], shallow, project / "nothing")
