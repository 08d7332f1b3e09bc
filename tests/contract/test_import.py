"""The import of a Jenkins: nothing is changed there, and publishing what was written would change no job."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import jenkins
import pytest
import yaml

from bootstrap.acts import casc, jobs
from bootstrap.importing import settings
from bootstrap.importing.conversion import import_jenkins
from bootstrap.importing.source import Source
from bootstrap.jenkins.controller.differences import add_job_diffs
from bootstrap.jenkins.definitions import agents
from bootstrap.jenkins.distribution import load_lock
from bootstrap.values import ChangeKind, JobSet, Secret

pytestmark = pytest.mark.own_process

ROOT = Path(__file__).resolve().parents[2]
RECORDED = yaml.safe_load((ROOT / "tests" / "cases" / "imports" / "answers.yaml").read_text())
KEPT = [
    case["kept"]
    for case in yaml.safe_load((ROOT / "tests" / "cases" / "job_xml.yaml").read_text())
    if "<" in case.get("kept", "") and "View>" not in case["kept"]
]


VARIABLES = {
    **dict.fromkeys(("BOOTSTRAP_ENVIRONMENT", "BOOTSTRAP_NETWORKS", "SMTP_HOST"), "local"),
    **dict.fromkeys(("JENKINS_ADMIN_ADDRESS", "MAIL_REPLY_TO"), "ops@example.org"),
    "JENKINS_EXECUTORS": "2",
    "JENKINS_PUBLIC_URL": "http://127.0.0.1/",
    "NO_PASSWORD": casc.NO_PASSWORD,
    "SMTP_PORT": "25",
    **dict.fromkeys(("SMTP_SSL", "SMTP_TLS"), "false"),
    **dict.fromkeys(("MAIL_SENDER", "SMTP_USER", "SMTP_CREDENTIAL"), ""),
    "SMTP_SCOPE": "SYSTEM",
    **agents.make_builder_variables({}),
}


def test_a_jenkins_starts_with_the_settings_of_an_export_beside_those_of_the_toolkit(fresh: Any, connect: Any) -> None:
    export = (ROOT / "tests" / "cases" / "imports" / "export.yaml").read_text()
    converted = settings.convert(export, ROOT / "casc")
    shutil.rmtree(fresh.casc)
    shutil.copytree(ROOT / "casc", fresh.casc)
    for name, text in converted.files.items():
        (fresh.casc / name).write_text(text)
    for name in ("TOOLKIT_PASSWORD", *(secret.variable for secret in converted.secrets)):
        (fresh.root / "secrets" / name).write_text("a-pass-word")
    fresh.variables = VARIABLES
    fresh.start()

    exported = yaml.safe_load(connect(fresh).post("configuration-as-code/export").text)
    assert exported["unclassified"]["pollSCM"] == {"pollingThreadCount": 10}
    (domain,) = exported["credentials"]["system"]["domainCredentials"]
    assert [each["usernamePassword"]["id"] for each in domain["credentials"]] == ["mail", "toolkit"]


def test_a_plan_against_the_imported_jenkins_changes_no_job(
    fresh: Any, connect: Any, pipeline: Any, tmp_path: Path
) -> None:
    fresh.start()
    server = connect(fresh)
    server.create("", "team", RECORDED["folder"]["body"])
    server.create("job/team/", "free job", RECORDED["freestyle"]["body"])
    server.create(
        "job/team/", "pipe", pipeline("pipeline { agent any\n stages { stage('a') { steps { echo \"${x}\" } } } }")
    )
    for number, xml in enumerate(KEPT):
        server.create("", f"recorded-{number}", xml)
    tokens = "user/admin/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"
    token = server.post(tokens, data={"newTokenName": "import"}).json()["data"]["tokenValue"]
    client = jenkins.Jenkins(fresh.url, server.user, token, timeout=60)
    before = client.get_all_jobs(), casc.export(client)

    source = Source(fresh.url, server.user, Secret(token))
    imported = import_jenkins(source, tmp_path / "into", ROOT)
    source.close()

    assert (client.get_all_jobs(), casc.export(client)) == before
    assert imported.differing == [] and len(imported.outcomes) == 3 + len(KEPT)
    assert {secret.variable for secret in imported.secrets} == {"TOKEN_SECRET", "LOGIN_PASSWORD"}
    project = tmp_path / "project"
    for name in ("jobs", "casc"):
        shutil.copytree(ROOT / name, project / name)
        shutil.copytree(tmp_path / "into" / name, project / name, dirs_exist_ok=True)
    casc.read(project / "casc", own=[secret.variable for secret in imported.secrets])
    lock = load_lock(ROOT / "jenkins.lock.yaml").plugins
    rendered = jobs.render(project / "jobs", {"repository": "file:///x", "branch": "main"}, lock)
    names = {outcome.name for outcome in imported.outcomes}
    jobset = JobSet({name: xml for name, xml in rendered.jobs.items() if name in names})
    changes = add_job_diffs(client, jobset, jobs.plan(client, jobset))
    assert {(change.name, change.kind) for change in changes} == {(name, ChangeKind.ALTER) for name in names}
    for change in changes:  # only the footer, by which the code knows its jobs
        added = [line[1:].strip() for line in change.diff.splitlines()[2:] if line[:1] == "+"]
        removed = [line[1:].strip() for line in change.diff.splitlines()[2:] if line[:1] == "-"]
        without_tags = [line.removeprefix("<description>") for line in added]
        assert without_tags[-1].startswith("Managed as code; change it in the repository. [render ")
        assert all("description" in line for line in removed) and len(added) <= 3
