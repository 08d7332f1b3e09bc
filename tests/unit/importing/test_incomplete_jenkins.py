"""What of another Jenkins cannot be read or asked for is told, and the rest is imported."""

import json
from pathlib import Path

import pytest
from recorded_jenkins import FREESTYLE, RECORDED

from bootstrap.errors import ImportFailed, UsageError
from bootstrap.importing import reading, source
from tests.unit.importing.whole_import import fill, tell


def test_a_user_who_is_no_administrator_gets_the_jobs_and_is_told_the_rest(other, import_it) -> None:
    fill(other)
    other.add("GET pluginManager/api/json", RECORDED["refused plugins"])
    other.add("POST configuration-as-code/export", {**RECORDED["refused plugins"]})
    imported = import_it()
    assert len(imported.outcomes) == 4
    assert "plugins: they cannot be read: Jenkins answered 403: " in tell(imported)
    assert "settings: they cannot be exported: Jenkins answered 403: " in tell(imported)


def test_a_jenkins_without_configuration_as_code_is_told(other, import_it) -> None:
    other.add("POST configuration-as-code/export", {"status": 404, "body": "Oops!"})
    assert "it has no plugin configuration-as-code; install the plugin there" in tell(import_it())


def test_jobs_that_need_a_plugin_or_a_label_that_is_not_there_are_told(other, import_it) -> None:
    other.list_jobs("", "windows", "gradle")
    other.add_job("job/windows/", FREESTYLE.replace("<canRoam>", "<assignedNode>windows</assignedNode><canRoam>"))
    step = '<hudson.plugins.gradle.Gradle plugin="gradle@2.1"><tasks>x</tasks></hudson.plugins.gradle.Gradle>'
    other.add_job("job/gradle/", FREESTYLE.replace("<builders/>", f"<builders>{step}</builders>"))
    other.list_plugins(json.loads(RECORDED["plugin"]["body"]) | {"shortName": "gradle", "version": "2.1"})
    imported = import_it()
    assert [each.difference for each in imported.outcomes] == ["", ""]
    assert "job windows: it asks for the label 'windows', which no agent has" in tell(imported)
    assert (
        "plugin gradle: jenkins.lock.yaml does not have it, and it is needed by gradle; ./bootstrap.py jenkins lock --add"
        in tell(imported)
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RECORDED["bad password"], "Jenkins answered 401"),
        ({"status": 200, "body": "hello"}, "this is not a Jenkins"),
    ],
)
def test_what_is_no_jenkins_or_knows_no_such_user_is_refused(
    answer, said: str, other, import_it, tmp_path: Path
) -> None:
    other.add("GET api/json?mode", answer)
    with pytest.raises(ImportFailed) as failed:
        import_it()
    assert said in failed.value.found and not list(tmp_path.iterdir())


def test_nothing_is_asked_when_the_target_is_not_empty(other, import_it, tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine").write_text("x")
    with pytest.raises(UsageError, match="it is not empty"):
        import_it()
    assert other.asked == [] and (tmp_path / "into" / "mine").read_text() == "x"


def test_a_folder_or_a_list_of_agents_that_cannot_be_read_does_not_stop_the_rest(other, import_it) -> None:
    fill(other)
    other.add("GET job/team/api/json", RECORDED["refused job"])
    other.add("GET computer/api/json", {"status": 500, "body": "Oops!"})
    imported = import_it()
    assert [each.name for each in imported.outcomes] == ["team", "build it"]
    assert "folder team: its jobs cannot be listed: Jenkins answered 403" in tell(imported)
    assert "agents: they cannot be listed: Jenkins answered 500: Oops!" in tell(imported)


def test_a_request_that_fails_costs_no_more_than_its_answer(other, import_it, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(request) -> None:
        request.close_connection = True

    monkeypatch.setattr(source, "PAUSES", (0.0, 0.0))
    fill(other)
    for request in (
        "POST configuration-as-code/export",
        "GET pluginManager/api/json",
        "GET job/team/job/free/config.xml",
        "GET computer/api/json",
    ):
        other.add(request, break_off)
    imported = import_it()
    assert [each.name for each in imported.outcomes] == ["team", "team/pipe", "build it"]
    for said in (
        "settings: they cannot be exported: ",
        "plugins: they cannot be read: ",
        "job team/free: its configuration cannot be read: ",
        "agents: they cannot be listed: ",
    ):
        assert said in tell(imported)


def test_a_folder_that_cannot_be_read_takes_what_it_holds_with_it_and_says_so(other, import_it) -> None:
    other.classes["team"] = reading.FOLDER
    fill(other)
    other.add("GET job/team/config.xml", RECORDED["refused job"])
    imported = import_it()
    assert [each.name for each in imported.outcomes] == ["build it"]
    note = next(note for note in imported.notes if note.kind == "folder")
    assert note.name == "team" and note.why.endswith(", so nothing inside of it was read")
