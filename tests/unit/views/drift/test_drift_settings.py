"""Drift of settings: which were changed in the web interface, and whether a reload would put them back."""

import pytest
import yaml

from bootstrap.jenkins.controller import settings_record
from bootstrap.jenkins.controller.api import JenkinsClient
from bootstrap.values import Result
from bootstrap.views.drift import settings

BEFORE = "jenkins:\n  mode: NORMAL\n  quietPeriod: 0\n  views: [a]\n"
NOW = "jenkins:\n  mode: EXCLUSIVE\n  quietPeriod: 0\n  views: [a, b]\n  label: x\n"
FILES = {"a.yaml": "jenkins:\n  mode: NORMAL\n"}


class Machine:
    """Holds the files of the code and the record of a reload."""

    def __init__(self, exported: str, *, keeps_export: bool = True, files: dict[str, str] = FILES) -> None:
        self.exported, self.keeps_export, self.files = exported, keeps_export, files
        self.with_sudo: set[bool] = set()

    def run(self, command: list[str], *, sudo: bool = False, check: bool = True) -> Result:
        self.with_sudo.add(sudo)
        if command[0] == "cat":
            return Result("cat", 0 if self.keeps_export else 1, self.exported, "")
        assert settings_record._LOOK == command[2]
        lines = [f"{settings_record._compute_digest(text)}  {name}" for name, text in self.files.items()]
        return Result("look", 0, "\n".join([*lines, f"{settings_record._compute_digest(self.exported)}  /applied"]), "")


def found(jenkins_server, machine: Machine, *, sudo: bool = True) -> list[tuple[str, str, str]]:
    jenkins_server.on("POST", "configuration-as-code/export", NOW)
    client: JenkinsClient = jenkins_server.client
    return [
        (it.name, it.found, it.remedy)
        for it in settings.find_settings_drift(machine, client, FILES, {}, "TOOL", sudo=sudo)
    ]


def test_each_setting_is_told_and_whether_a_reload_puts_it_back(jenkins_server) -> None:
    by_hand = "add it to casc/, or undo it in Jenkins"

    assert [
        ("jenkins.label", "was absent, is x; a reload keeps it", by_hand),
        ("jenkins.mode", "was NORMAL, is EXCLUSIVE; a reload overwrites it", "TOOL casc apply"),
        ("jenkins.views", "was - a, is - a, - b; a reload keeps it", by_hand),
    ] == found(jenkins_server, Machine(BEFORE))


def test_without_the_kept_export_one_line_tells_that_something_changed(jenkins_server) -> None:
    assert [("settings", "changed outside of the code", "TOOL casc apply")] == found(
        jenkins_server, Machine(BEFORE, keeps_export=False)
    )


def test_settings_as_they_were_applied_have_no_line(jenkins_server) -> None:
    assert [] == found(jenkins_server, Machine(NOW))


def test_a_file_changed_on_the_machine_is_told(jenkins_server) -> None:
    machine = Machine(NOW, files={"a.yaml": "x", "b.yaml": "y"})

    assert [
        ("/etc/jenkins/casc.d/a.yaml", "differs", "TOOL casc apply"),
        ("/etc/jenkins/casc.d/b.yaml", "is not in the code", "TOOL casc apply"),
    ] == found(jenkins_server, machine)


def test_a_job_on_the_machine_looks_without_root(jenkins_server) -> None:
    machine = Machine(NOW)

    found(jenkins_server, machine, sudo=False)

    assert {False} == machine.with_sudo


CLOUD = {"name": "linux", "maxSize": 2, "computerConnector": {"sshConnector": {"credentialsId": "agents-linux"}}}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], [("cloud linux", "is missing")]),
        ([CLOUD | {"maxSize": 9}], [("cloud linux", "maxSize is 9, wished 2")]),
        ([CLOUD, CLOUD | {"name": "made by hand"}], [("cloud made by hand", "is not in the code")]),
        ([CLOUD], []),
    ],
)
def test_a_cloud_is_told_as_one_line_and_not_as_a_setting_too(
    there: list[object], expected: list[tuple[str, str]], jenkins_server
) -> None:
    def settings_with(clouds: list[object]) -> str:
        return yaml.safe_dump({"jenkins": {"mode": "NORMAL", "clouds": [{"eC2Fleet": it} for it in clouds]}})

    jenkins_server.on("POST", "configuration-as-code/export", settings_with(there))
    machine, wished = Machine("jenkins:\n  mode: NORMAL\n"), settings_with([CLOUD])

    drifted = settings.find_settings_drift(
        machine, jenkins_server.client, FILES, {}, "TOOL", sudo=True, wished_clouds=wished
    )

    assert [(*it, "TOOL casc apply") for it in expected] == [(it.name, it.found, it.remedy) for it in drifted]
