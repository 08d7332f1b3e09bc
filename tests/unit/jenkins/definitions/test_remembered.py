"""Remembered renderings: what decides about one makes it anew, what does not leaves it, and no fault is remembered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.errors import JobsInvalid
from bootstrap.jenkins.definitions import remembered, rendering
from bootstrap.jenkins.definitions.agents import Agent, Agents
from bootstrap.values import JobSet

VARIABLES = {"repository": "file:///srv/repository", "branch": "main"}
PLUGINS = {"git": "5.7.0", "workflow-cps": "4000.v1", "workflow-job": "1500.v1", "workflow-aggregator": "600.v1"}
DEFINITIONS = """\
- defaults: {name: global, disabled: false}
- job-template:
    name: from-the-repository
    project-type: pipeline
    pipeline-scm: {scm: [{git: {url: '{repository}', branches: ['{branch}']}}], script-path: ci/Jenkinsfile}
- job:
    name: included
    project-type: pipeline
    sandbox: true
    dsl: !include-raw-verbatim: ../shared/included.groovy
- project: {name: all, jobs: [from-the-repository]}
"""
JENKINSFILE = "pipeline {\n  agent any\n  stages { stage('one') { steps { echo 'one' } } }\n}\n"
INI = (Path(__file__).resolve().parents[4] / "jobs" / "job-builder.ini").read_text()


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = VARIABLES
        self.plugins = PLUGINS
        self.known: Agents | None = Agents((Agent("builder", frozenset({"linux"}), False),))
        self.memory = folder / "memory"
        for name, text in {
            "jobs/jobs.yaml": DEFINITIONS,
            "jobs/job-builder.ini": INI,
            "shared/included.groovy": "echo 'included'",
            "ci/Jenkinsfile": JENKINSFILE,
            "ci/other": "not read",
        }.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def render(self) -> JobSet:
        return remembered.render(self.memory, self.folder / "jobs", self.variables, self.plugins, self.known)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[JobSet]:
    """Every rendering that was really made."""
    made: list[JobSet] = []

    def render(*arguments: object, **options: object) -> JobSet:
        made.append(original(*arguments, **options))  # type: ignore[arg-type]
        return made[-1]

    original = rendering.render
    monkeypatch.setattr(rendering, "render", render)
    return made


def test_the_same_definitions_are_rendered_once(checkout: Checkout, renderings: list[JobSet]) -> None:
    first, second = checkout.render(), checkout.render()

    assert first == second
    assert {"from-the-repository", "included"} == set(second.jobs)
    assert list(first.jobs) == list(second.jobs)
    assert 1 == len(renderings)


CHANGES: dict[str, Callable[[Checkout], None]] = {
    "a definition": lambda it: it.write("jobs/jobs.yaml", DEFINITIONS.replace("name: included", "name: renamed")),
    "a new file of definitions": lambda it: it.write("jobs/more.yaml", "- job: {name: more}\n"),
    "a job in XML": lambda it: it.write("jobs/raw/old.xml", "<project/>"),
    "Job Builder's settings": lambda it: it.write("jobs/job-builder.ini", INI + "\n# a comment\n"),
    "a Jenkinsfile": lambda it: it.write("ci/Jenkinsfile", JENKINSFILE.replace("one", "two")),
    "an included file": lambda it: it.write("shared/included.groovy", "echo 'other'"),
    "a variable": lambda it: setattr(it, "variables", VARIABLES | {"branch": "next"}),
    "a plugin": lambda it: setattr(it, "plugins", PLUGINS | {"git": "5.8.0"}),
    "an agent": lambda it: setattr(it, "known", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_rendering_depends_on_makes_it_anew(checkout: Checkout, renderings: list[JobSet], change: str) -> None:
    checkout.render()
    CHANGES[change](checkout)

    assert rendering.render(checkout.folder / "jobs", checkout.variables, checkout.plugins, checkout.known) == (
        checkout.render()
    )
    assert 3 == len(renderings)


def test_other_files_of_the_repository_decide_nothing(checkout: Checkout, renderings: list[JobSet]) -> None:
    checkout.render()
    checkout.write("ci/other", "changed")
    checkout.render()

    assert 1 == len(renderings)


def test_an_edit_that_is_undone_is_remembered(checkout: Checkout, renderings: list[JobSet]) -> None:
    checkout.render()
    checkout.write("jobs/more.yaml", "- job: {name: more}\n")
    checkout.render()
    (checkout.folder / "jobs" / "more.yaml").unlink()
    checkout.render()

    assert 2 == len(renderings)


def test_a_file_that_is_saved_during_a_rendering_is_not_remembered_as_the_one_before(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(*arguments: object, **options: object) -> JobSet:
        checkout.write("jobs/jobs.yaml", DEFINITIONS.replace("name: included", "name: renamed"))
        return original(*arguments, **options)  # type: ignore[arg-type]

    original = rendering.render
    monkeypatch.setattr(rendering, "render", render)
    assert "renamed" in checkout.render().jobs
    monkeypatch.undo()
    checkout.write("jobs/jobs.yaml", DEFINITIONS)

    assert "included" in checkout.render().jobs


def test_another_working_directory_may_have_other_files(
    checkout: Checkout, renderings: list[JobSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.render()
    monkeypatch.chdir(checkout.folder)
    checkout.render()

    assert 2 == len(renderings)


def test_a_linked_folder_belongs_to_the_definitions(checkout: Checkout, renderings: list[JobSet]) -> None:
    checkout.write("elsewhere/one.xml", "<project/>")
    (checkout.folder / "jobs" / "raw").symlink_to(checkout.folder / "elsewhere")
    before = checkout.render()
    checkout.write("elsewhere/two.xml", "<project/>")

    assert set(checkout.render().jobs) != set(before.jobs) or 2 == len(renderings)


def test_faults_are_not_remembered(checkout: Checkout) -> None:
    checkout.write("ci/Jenkinsfile", "pipeline {")
    for _ in range(2):
        with pytest.raises(JobsInvalid, match="ci/Jenkinsfile"):
            checkout.render()
    assert not checkout.memory.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outside": {}}', '{"outside": {"/nothing/here": "0"}, "jobs": {}}'])
def test_a_memory_that_cannot_be_read_is_none(checkout: Checkout, renderings: list[JobSet], text: str) -> None:
    first = checkout.render()
    (kept,) = checkout.memory.iterdir()
    kept.write_text(text)

    assert first == checkout.render()
    assert 2 == len(renderings)


def test_a_memory_that_cannot_be_written_is_none(checkout: Checkout) -> None:
    checkout.memory.write_text("a file")

    assert checkout.render() == checkout.render()


def test_a_few_renderings_are_kept_for_their_owner_alone(checkout: Checkout) -> None:
    for number in range(12):
        checkout.variables = VARIABLES | {"branch": str(number)}
        checkout.render()

    kept = list(checkout.memory.iterdir())
    assert 8 == len(kept)
    assert {0o600} == {path.stat().st_mode & 0o777 for path in kept}
    assert 0o700 == checkout.memory.stat().st_mode & 0o777
