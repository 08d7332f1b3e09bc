"""The layers: what a project says stands above what the toolkit says, file by file and key by key."""

import shutil
from pathlib import Path

import pytest
import yaml

from bootstrap.acts import casc, jobs
from bootstrap.errors import CascRejected, JobsInvalid
from bootstrap.jenkins.definitions import casc_layers
from bootstrap.jenkins.distribution import load_lock
from bootstrap.projects import folders

ROOT = Path(__file__).resolve().parents[3]
VARIABLES = {"repository": "file:///r", "branch": "main", "pipelines": ".toolkit/v1/jobs/pipelines"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def read_settings(own: Path) -> dict[str, str]:
    return casc.read(ROOT / "casc", own_folder=own)


def test_without_files_of_its_own_a_project_has_the_toolkits_settings(own: Path) -> None:
    assert casc.read(ROOT / "casc") == read_settings(own) == read_settings(own / "absent")


def test_a_value_of_the_project_takes_the_place_of_the_toolkits(own: Path) -> None:
    (own / "quiet.yaml").write_text("jenkins:\n  quietPeriod: 5\n")

    files, before = read_settings(own), casc.read(ROOT / "casc")

    assert "quietPeriod" not in files["controller.yaml"]
    assert yaml.safe_load(files["quiet.yaml"]) == {"jenkins": {"quietPeriod": 5}}
    wished = yaml.safe_load(before["controller.yaml"])
    del wished["jenkins"]["quietPeriod"]
    assert wished == yaml.safe_load(files["controller.yaml"]), "all else stays"
    assert {name: text for name, text in files.items() if name not in {"controller.yaml", "quiet.yaml"}} == {
        name: text for name, text in before.items() if name != "controller.yaml"
    }, "the other files stay as they are, character by character"


def test_a_list_of_the_project_takes_the_place_of_the_whole_list(own: Path) -> None:
    (own / "mine.yaml").write_text("credentials:\n  system:\n    domainCredentials: []\n")

    assert ["mine.yaml"] == [name for name, text in read_settings(own).items() if "domainCredentials" in text]


LOGIN = '- usernamePassword: {id: mail, scope: GLOBAL, username: "${SMTP_USER}", password: "${SMTP_PASSWORD:-}"}'


def write_credentials(own: Path, *entries: str) -> None:
    (own / "credentials.yaml").write_text(
        "credentials:\n  system:\n    domainCredentials:\n      - credentials:\n"
        + "".join(f"          {entry}\n" for entry in entries)
    )


def test_a_list_without_the_login_of_the_mail_server_is_refused_where_mail_has_a_login(own: Path) -> None:
    token = '- string: {scope: GLOBAL, id: token, secret: "${TOKEN}"}'
    write_credentials(own, token)

    with pytest.raises(CascRejected) as caught:
        casc.read(ROOT / "casc", {"SMTP_CREDENTIAL": "mail"}, ["TOKEN"], own)

    (fault,) = caught.value.faults
    assert (fault.line, fault.column) == (3, 5) and fault.file.endswith("own/credentials.yaml")
    assert "no file defines the credential 'mail', with which " in fault.message
    assert "casc/mail.yaml:" in fault.message
    written = fault.message.partition("'domainCredentials': ")[2]
    write_credentials(own, token, written)
    assert "token" in casc.read(ROOT / "casc", {"SMTP_CREDENTIAL": "mail"}, ["TOKEN"], own)["credentials.yaml"]


def test_a_list_without_the_login_is_taken_where_mail_has_none_or_is_the_projects_own(own: Path) -> None:
    write_credentials(own, '- string: {scope: GLOBAL, id: token, secret: "${TOKEN}"}')

    casc.read(ROOT / "casc", {"SMTP_CREDENTIAL": ""}, ["TOKEN"], own)
    (own / "mail.yaml").write_text("unclassified:\n  email-ext:\n    charset: UTF-8\n")
    casc.read(ROOT / "casc", {"SMTP_CREDENTIAL": "mail"}, ["TOKEN"], own)


def test_the_login_may_be_named_by_its_variable(own: Path) -> None:
    write_credentials(own, LOGIN.replace("id: mail", 'id: "${SMTP_CREDENTIAL}"'))

    casc.read(ROOT / "casc", {"SMTP_CREDENTIAL": "mail"}, (), own)


def test_a_file_takes_the_place_of_its_namesake(own: Path) -> None:
    (own / "views.yaml").write_text("jenkins:\n  systemMessage: hello\n")

    files = read_settings(own)

    assert "hello" in files["views.yaml"]
    assert "includeRegex" not in files["views.yaml"]


def test_a_fault_in_a_file_of_the_project_has_its_place(own: Path) -> None:
    (own / "mine.yaml").write_text("jenkins:\n  numExecutors: [\n")

    with pytest.raises(CascRejected) as caught:
        read_settings(own)

    assert {("own/mine.yaml", 3)} == {(fault.file, fault.line) for fault in caught.value.faults}


def test_two_files_of_the_project_still_may_not_say_the_same(own: Path) -> None:
    for name in ("a", "b"):
        (own / f"{name}.yaml").write_text("jenkins:\n  quietPeriod: 5\n")

    with pytest.raises(CascRejected, match="reading the settings") as caught:
        read_settings(own)

    assert "'jenkins.quietPeriod' is in own/a.yaml:2 already" in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("text", "key", "left"),
    [
        ("a: {b: 1, c: 2}\n", ("a", "b"), {"a": {"c": 2}}),
        ("a: {b: 1}\nd: 3\n", ("a", "b"), {"d": 3}),
        ("a: {b: {c: 1}}\nd: 3\n", ("a", "b"), {"d": 3}),
        ("a: 1\nd: 3\n", ("a", "b"), {"d": 3}),
        ("a: {b: 1}\n", ("a", "b"), None),
    ],
)
def test_what_is_taken_out(text: str, key: tuple[str, ...], left: object) -> None:
    assert left == yaml.safe_load(casc_layers.take_out(text, [key]))


def test_a_text_that_has_none_of_the_keys_stays() -> None:
    text = "a:   {b: 'x'}   # odd\n"

    assert text == casc_layers.take_out(text, [("a", "c"), ("d",)])


def render(own: Path) -> dict[str, str]:
    """The jobs of a project whose definitions are in `own`; the toolkit is where the start script puts it."""
    toolkit = own.parent / ".toolkit" / "v1" / "jobs"
    if not toolkit.exists():
        shutil.copytree(ROOT / "jobs", toolkit)
    plugins = load_lock(ROOT / "jenkins.lock.yaml").plugins
    return dict(jobs.render(toolkit, VARIABLES, plugins, None, own).jobs)


JOB = "- job: {{name: {name}, project-type: freestyle, builders: [shell: echo]}}\n"


def test_jobs_of_the_project_come_beside_the_toolkits(own: Path) -> None:
    (own / "hello.yaml").write_text(JOB.format(name="hello"))
    (own / "defaults.yaml").write_text((ROOT / "jobs" / "defaults.yaml").read_text())  # in the place of its namesake

    assert {"hello", *render(own / "absent")} == set(render(own))


def test_jobs_of_the_project_come_in_place_of_the_toolkits(own: Path) -> None:
    (own / "infrastructure.yaml").write_text(JOB.format(name="hello"))

    assert ["hello"] == list(render(own))


def test_jobs_of_the_project_may_be_xml(own: Path) -> None:
    (own / "raw" / "team").mkdir(parents=True)
    (own / "raw" / "team.xml").write_text("<com.cloudbees.hudson.plugins.folder.Folder/>")
    (own / "raw" / "team" / "old.xml").write_text("<project/>")

    assert {"team", "team/old", *render(own / "absent")} == set(render(own))


def test_a_job_with_a_name_of_the_toolkits_is_refused_with_its_place(own: Path) -> None:
    (own / "mine.yaml").write_text(JOB.format(name="drift"))

    with pytest.raises(JobsInvalid) as caught:
        render(own)

    (fault,) = caught.value.faults
    words = "Duplicate job: 'drift'; previous job definition in line 3 of infrastructure.yaml"
    assert f"own/mine.yaml:1:3: {words}" == str(fault)


def test_scripts_of_the_toolkits_jobs_are_where_the_start_script_puts_it(own: Path) -> None:
    assert "<scriptPath>.toolkit/v1/jobs/pipelines/seed.Jenkinsfile</scriptPath>" in render(own)["seed"]


def test_the_toolkits_path_is_told_from_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "jobs/pipelines" == folders.name_toolkit_path("jobs/pipelines"), "without a project"

    monkeypatch.setattr(folders, "PROJECT", tmp_path)
    monkeypatch.setattr(folders, "ROOT", tmp_path / ".toolkit" / "v1")
    assert ".toolkit/v1/jobs/pipelines" == folders.name_toolkit_path("jobs/pipelines")
    assert ".toolkit/v1" == folders.name_toolkit_path("")
    (tmp_path / "mine").touch()
    assert [tmp_path / "mine", tmp_path / ".toolkit" / "v1" / "theirs"] == [
        folders.find("mine"),
        folders.find("theirs"),
    ]
