"""A whole import of a Jenkins that answers what was recorded: the files, the comparison, and what is told."""

import json
import re
import shutil
from pathlib import Path

import yaml
from recorded_jenkins import EXPORT, FREESTYLE, RECORDED, ROOT

from bootstrap.acts import casc
from bootstrap.importing.conversion import describe, import_jenkins
from bootstrap.jenkins.definitions.rendering import render
from bootstrap.jenkins.distribution import load_lock
from tests.unit.importing.whole_import import fill, tell


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
