"""A whole import of a Jenkins that answers what was recorded: the files, the comparison, and what is told."""

import itertools
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_jenkins import EXPORT, FOLDER, FREESTYLE, PIPELINE, RECORDED, ROOT

from bootstrap.acts import casc
from bootstrap.errors import ImportFailed, UsageError
from bootstrap.importing import plugins as plugin_list
from bootstrap.importing import reading, source
from bootstrap.importing.conversion import Imported, describe, import_jenkins
from bootstrap.importing.source import Answer
from bootstrap.jenkins.definitions.rendering import render
from bootstrap.jenkins.distribution import load_lock


@pytest.fixture
def import_it(other, tmp_path: Path):
    """Import the other Jenkins into a new folder."""
    return lambda: import_jenkins(other.source(), tmp_path / "into", ROOT)


def fill(other) -> None:
    """A folder with two jobs, and one job beside it."""
    other.list_jobs("", "team", "build it", views=("wall",))
    other.add_job("job/team/", FOLDER)
    other.list_jobs("team", "free", "pipe")
    other.add_job("job/team/job/free/", FREESTYLE)
    other.add_job("job/team/job/pipe/", PIPELINE)
    other.add_job("job/build%20it/", FREESTYLE.replace("<canRoam>false", "<canRoam>true"))


def tell(imported: Imported) -> str:
    return "\n".join(describe(imported))


def test_only_reading_requests_are_sent_and_the_settings_are_exported_once(other, import_it) -> None:
    fill(other)
    import_it()
    assert [name for name in other.asked if not name.startswith("GET ")] == ["POST configuration-as-code/export"]


def test_the_written_files_are_those_of_a_project_that_renders_to_what_was_read(
    other, import_it, tmp_path: Path
) -> None:
    fill(other)
    imported = import_it()
    assert [(each.name, each.difference) for each in imported.outcomes] == [
        ("team", ""),
        ("team/free", ""),
        ("team/pipe", ""),
        ("build it", ""),
    ]
    into = tmp_path / "into"
    files = {path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()}
    assert files >= {
        "plugins.yaml",
        "jobs/imported.yaml",
        "jobs/raw/team.xml",
        "casc/imported-jenkins.yaml",
        "report.txt",
    }
    project = tmp_path / "project"
    for name in ("jobs", "casc"):  # as a person copies the files
        shutil.copytree(ROOT / name, project / name)
        shutil.copytree(into / name, project / name, dirs_exist_ok=True)
    plugins = load_lock(ROOT / "jenkins.lock.yaml").plugins
    rendered = render(project / "jobs", {"repository": "x", "branch": "main"}, plugins).jobs
    assert {"team", "team/free", "team/pipe", "build it", "canary"} <= rendered.keys()
    settings = casc.read(project / "casc", own=[secret.variable for secret in imported.secrets])
    assert "imported-unclassified.yaml" in settings


def test_secrets_are_replaced_by_variables_and_named(import_it, tmp_path: Path) -> None:
    imported = import_it()
    (secret,) = imported.secrets
    assert secret.variable == "IMPORTED_TOOLKIT_PASSWORD" and secret.place.endswith("usernamePassword.password")
    into = tmp_path / "into"
    assert 'password: "${IMPORTED_TOOLKIT_PASSWORD}"' in (into / "casc" / "credentials.yaml").read_text()
    written = yaml.safe_load((into / "secrets.yaml").read_text())
    assert written == {
        "jenkins": {"secrets": {"IMPORTED_TOOLKIT_PASSWORD": {"secret": "imported/imported_toolkit_password"}}}
    }
    everything = "".join(path.read_text() for path in into.rglob("*") if path.is_file())
    assert "{ciphertext}" not in everything and "11f3a4c0ffee" not in everything


def test_each_setting_of_the_export_is_carried_over_or_told(import_it, tmp_path: Path) -> None:
    imported = import_it()
    carried = [yaml.safe_load(path.read_text()) for path in (tmp_path / "into" / "casc").iterdir()]
    left = yaml.safe_load((tmp_path / "into" / "not-carried.yaml").read_text())
    told = {note.name for note in imported.notes if note.kind == "setting"}
    for root, attributes in yaml.safe_load(EXPORT).items():
        for attribute, value in attributes.items():
            if value in ({}, None) or root == "configuration-as-code":
                continue  # the first sets nothing, the second are the defaults of Configuration as Code itself
            is_carried = any(attribute in settings.get(root, {}) for settings in carried)
            is_told = any(re.match(rf"{root}\.{attribute}(\.|$)", name) for name in told)
            assert is_carried or (is_told and attribute in left[root]), f"{root}.{attribute}"


def test_what_cannot_be_carried_over_is_told_with_reason_and_remedy(other, import_it) -> None:
    fill(other)
    other.list_jobs("", "team", "secret job", "canary", "../../etc", "a\x1b]0;x\x07", "b\u202e", ".x", views=("wall",))
    other.add("GET job/secret%20job/config.xml", RECORDED["refused job"])
    other.add_job("job/canary/", FREESTYLE)
    git = json.loads(RECORDED["plugin"]["body"])
    other.list_plugins(
        git | {"version": "5.9.0"},
        git | {"shortName": "gone", "enabled": False, "active": False},
        git | {"shortName": "own", "version": "1.0-SNAPSHOT (private-0a1b-me)"},
        git | {"shortName": "../x"},
        git | {"shortName": "broken", "active": False, "version": "1.2"},
    )
    node = {"_class": "hudson.slaves.SlaveComputer", "displayName": "win1"}
    computers = {"computer": [*json.loads(RECORDED["computers"]["body"])["computer"], node]}
    other.add("GET computer/api/json", {"status": 200, "body": json.dumps(computers)})
    imported = import_it()
    text = tell(imported)
    for said in (
        "job secret job: its configuration cannot be read: Jenkins answered 403: ",
        "job canary: this repository has a job 'canary' already; give it another name there",
        "job ../../etc: its name cannot be that of a file: it begins with '.' or '-'",
        "job a?]0;x?: its name cannot be that of a file: it contains characters that are not visible",
        "job b?: its name cannot be that of a file",
        "plugin git: the lock has the newer version",
        "plugin gone: it is disabled in the imported Jenkins; leave it out of the lock",
        "plugin own: its version 1.0-SNAPSHOT (private-0a1b-me) was built by hand, and no update center has it",
        "plugin broken: it is enabled in the imported Jenkins, but does not run",
        "plugin ../x: it has no name or version that a plugin can have",
        "agent win1: its secret is that of the other Jenkins",
        "view wall: views are not written as code of their own",
        "build history: ",
        "API tokens: Jenkins keeps only their hashes",
        "credentials: the secrets of credentials are encrypted",
        "setting jenkins.numExecutors: casc/controller.yaml has it already, as '0'; there it is '2'",
        "setting jenkins.crumbIssuer: casc/controller.yaml has it already, with the same value",
    ):
        assert said in text
    assert "Built-In Node" not in text
    assert all("\n" not in line and "\x1b" not in line for line in describe(imported))
    assert all(note.why and note.remedy for note in imported.notes)


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


def test_the_files_of_a_project_count_as_those_of_the_toolkit(other, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name, text in {
        "casc/mine.yaml": "unclassified:\n  shell: {shell: /bin/mine}\njenkins:\n"
        "  nodes: [{permanent: {name: mine, labelString: gpu, remoteFS: /x, launcher: {inbound: {}}}}]\n",
        "casc/credentials.yaml": "credentials: {system: {domainCredentials: [{credentials: "
        "[{string: {id: mine, secret: '${MINE}'}}]}]}}\n",
        "jobs/mine.yaml": "- job:\n    name: mine\n    project-type: pipeline\n    pipeline-scm: {scm: [{git: "
        "{url: '{repository}'}}], script-path: ci/Jenkinsfile}\n",
        "jobs/raw/kept.xml": "<project/>",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    other.list_jobs("", "mine", "kept", "canary", "fast", "slow")
    for name, label in {"mine": "x", "kept": "x", "canary": "x", "fast": "gpu", "slow": "infrastructure"}.items():
        labelled = FREESTYLE.replace("<canRoam>", f"<assignedNode>{label}</assignedNode><canRoam>")
        other.add_job(f"job/{name}/", labelled)
    export = (
        "unclassified: {shell: {shell: /bin/theirs}}\n"
        "credentials: {system: {domainCredentials: [{credentials: [{string: {id: theirs, secret: x}}]}]}}\n"
    )
    other.add("POST configuration-as-code/export", {"status": 200, "body": export})
    imported = import_jenkins(other.source(), tmp_path / "into", ROOT, project)
    told = tell(imported)
    assert [each.name for each in imported.outcomes] == ["fast", "slow"]
    for name in ("mine", "kept", "canary"):
        assert f"job {name}: this repository has a job '{name}' already" in told
    assert "setting unclassified.shell.shell: casc/mine.yaml has it already, as '/bin/mine'" in told
    credentials = imported.files["casc/credentials.yaml"].decode()
    assert "id: mine" in credentials and "id: theirs" in credentials and "id: mail" not in credentials
    assert "job fast" not in told.replace("job fast (", "")
    # The project's list of agents takes the place of the toolkit's.
    assert "job slow: it asks for the label 'infrastructure', which no agent has" in told


def test_the_report_has_one_line_of_visible_characters_for_each_thing(other, import_it, tmp_path: Path) -> None:
    long = "x" * 500
    export = f'"{long}\\ud800\\u202e": {{a: 1}}\nunclassified: {{x: [{{name: "n\\u202e\\e[1m\\ud800{long}", token: abc}}]}}\n'
    other.add("POST configuration-as-code/export", {"status": 200, "body": export})
    other.list_jobs("", "odd")
    step = "<x.Step plugin='x@1'><y>a\u202e\x85b</y></x.Step>"
    sandbox = "<definition class='org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition'><script>x</script>"
    xml = f"<flow-definition><properties>{step}</properties>{sandbox}<sandbox>\u202efalse\u2028</sandbox></definition>"
    other.add_job("job/odd/", f"{xml}</flow-definition>")
    imported = import_it()
    assert len(imported.differing) == 1 and imported.secrets
    lines = (tmp_path / "into" / "report.txt").read_bytes().decode().removesuffix("\n").split("\n")
    assert lines == describe(imported) and all(line.isprintable() and len(line) < 1000 for line in lines)
    assert all(len(secret.place) <= 120 for secret in imported.secrets)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jobs", "views", "name", "computer", "plugins", "shortName", "version", "dependencies", "displayName"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(jobs=VALUES, plugins=VALUES, computers=VALUES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_read_or_refused_and_never_breaks_the_command(jobs, plugins, computers) -> None:
    class Any:
        url = "https://ci.example.org/"

        def get(self, path: str, tree: str = "") -> Answer:
            return Answer(200, {"X-Jenkins": "2"}, FREESTYLE.encode())

        def export_settings(self) -> Answer:
            return Answer(404, {}, b"")

        def get_json(self, path: str, tree: str) -> object:
            return plugins if "plugin" in path else computers if "computer" in path else jobs

    found = reading.read(Any())
    listed = plugin_list.read(found.plugins, found.notes)
    list(plugin_list.judge(listed, {}))
    plugin_list.write(listed, {})
    assert all(str(note).isprintable() for note in found.notes)


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>&b;</project>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><project/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<project>" + "<a/>" * 100_000 + "</project>",
        "no xml",
        "",
        "<project>\x01</project>",
        "<project><a:b/></project>",
    ],
)
def test_hostile_xml_is_told_and_not_written(xml: str, other, import_it, tmp_path: Path) -> None:
    other.list_jobs("", "bad", "good")
    other.add_job("job/bad/", xml)
    other.add_job("job/good/", FREESTYLE)
    imported = import_it()
    assert "job bad: its configuration cannot be read: line" in tell(imported)
    assert [each.name for each in imported.outcomes] == ["good"]
    assert not (tmp_path / "into" / "jobs" / "raw" / "bad.xml").exists()


def test_all_jobs_together_have_a_greatest_number_of_elements(
    other, import_it, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "MOST_ELEMENTS", 50)
    other.list_jobs("", "a", "b")
    for name in ("a", "b"):
        other.add_job(f"job/{name}/", f"<project>{'<x/>' * 30}</project>")
    with pytest.raises(ImportFailed, match="more than 50 elements of XML together"):
        import_it()
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{b}: &{b} [*{a}{f',*{a}' * 8}]\n" for a, b in itertools.pairwise("abcdefgh")),
            "values",
        ),
        ("a: &a {b: *a}\n", "nested more than 100 deep"),
        ("[" * 5000, "nested too deeply"),
        ("a: [" * 500 + "]" * 500, "nested"),
        ("x" * 5_000_000, "characters"),
        ("- a\n", "not a mapping"),
        ("a: !!python/object/apply:os.system [x]\nb: {c: 'x\n", "not YAML"),
    ],
)
def test_a_hostile_export_is_told_and_not_written(export: str, said: str, other, import_it, tmp_path: Path) -> None:
    other.add("POST configuration-as-code/export", {"status": 200, "body": export})
    note = next(note for note in import_it().notes if note.kind == "settings")
    assert "the export cannot be used" in note.why and said in note.why
    assert not (tmp_path / "into" / "casc").exists()
