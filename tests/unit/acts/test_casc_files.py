"""The files of the casc act are judged with the place of each fault, before anything is sent."""

import json
from pathlib import Path

import pytest

from bootstrap.acts import casc
from bootstrap.environment.settings import load
from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions.casc import find_variables
from tests.recorder import Recorder
from tests.unit.acts.casc_machine import Machine

ROOT = Path(__file__).resolve().parents[3]

# What is wrong: files, where the fault must be, and a part of its text.
FAULTS = {
    "no YAML": ({"a.yaml": "jenkins:\n  mode: [x\n"}, "casc/a.yaml:3:1", "not YAML"),
    "a key twice": ({"a.yaml": "jenkins:\n  mode: NORMAL\n  mode: NORMAL\n"}, "casc/a.yaml:3:3", "duplicate key"),
    "no mapping": ({"a.yaml": "- jenkins\n"}, "casc/a.yaml:1:1", "must be a mapping"),
    "an empty file": ({"a.yaml": ""}, "casc/a.yaml:1:1", "must be a mapping"),
    "a scalar in two files": (
        {"a.yaml": "jenkins:\n  mode: NORMAL\n", "b.yaml": "jenkins:\n  quietPeriod: 1\n  mode: NORMAL\n"},
        "casc/b.yaml:3:3",
        "'jenkins.mode' is in casc/a.yaml:2 already; Jenkins refuses to choose",
    ),
    "a list in two files": (
        {"a.yaml": "jenkins:\n  views: [a]\n", "b.yaml": "jenkins:\n  views: [b]\n"},
        "casc/b.yaml:2:3",
        "Jenkins would append one list to the other",
    ),
    "a mapping over a value": (
        {"a.yaml": "jenkins:\n  crumbIssuer: standard\n", "b.yaml": "jenkins:\n  crumbIssuer:\n    standard: 1\n"},
        "casc/b.yaml:3:5",
        "'jenkins.crumbIssuer' is a value in casc/a.yaml:2",
    ),
    "a value over a mapping": (
        {"a.yaml": "jenkins:\n  crumbIssuer:\n    standard: 1\n", "b.yaml": "jenkins:\n  crumbIssuer: standard\n"},
        "casc/b.yaml:2:3",
        "is a mapping in casc/a.yaml:3",
    ),
    "a variable that nothing provides": (
        {"a.yaml": "jenkins:\n  numExecutors: '${JENKINS_EXECUTOR}'\n"},
        "casc/a.yaml:2:17",
        "nothing provides ${JENKINS_EXECUTOR}; did you mean 'JENKINS_EXECUTORS'?",
    ),
    "a variable within a list": (
        {"a.yaml": "x:\n  - one\n  - two ${NOPE}\n"},
        "casc/a.yaml:3:5",
        "nothing provides ${NOPE}; there are: ADMIN_PASSWORD",
    ),
    "a password in plain text": (
        {"a.yaml": "jenkins:\n  users:\n    - id: a\n      password: hunter2\n"},
        "casc/a.yaml:4:17",
        "'password' is in plain text",
    ),
    "an undefined alias": ({"a.yaml": "jenkins: *base\n"}, "casc/a.yaml:1:10", "undefined alias"),
}


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    made = tmp_path / "casc"
    made.mkdir()
    for name, text in files.items():
        (made / name).write_text(text)
    return made


@pytest.mark.parametrize("case", FAULTS)
def test_a_faulty_file_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    files, place, part = FAULTS[case]

    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, files))

    fault = caught.value.faults[0]
    assert place == f"{fault.file}:{fault.line}:{fault.column}", str(fault)
    assert part in fault.message


def test_every_fault_is_told_in_the_order_of_the_files(tmp_path: Path) -> None:
    files = {"b.yaml": "b: '${ONE}'\n", "a.yaml": "a: '${TWO}'\nc: '${THREE}'\n"}

    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, files))

    assert ["casc/a.yaml:1", "casc/a.yaml:2", "casc/b.yaml:1"] == [f"{f.file}:{f.line}" for f in caught.value.faults]


def test_an_empty_folder_is_refused_since_jenkins_would_be_open_to_all(tmp_path: Path) -> None:
    with pytest.raises(CascRejected) as caught:
        casc.read(folder(tmp_path, {}))

    assert "open to everybody" in caught.value.found


def test_defaults_helpers_and_escapes_need_no_provider(tmp_path: Path) -> None:
    text = "a: '${NOPE:-x}'\nb: '^${NOPE}'\nc: '${readFile:/etc/x}'\npassword: '${ADMIN_PASSWORD}'\ntoken: ''\n"

    assert {"a.yaml": text} == casc.read(folder(tmp_path, {"a.yaml": text}))


def test_anchors_may_stand_under_a_key_of_their_own_in_two_files(tmp_path: Path) -> None:
    files = {"a.yaml": "x-a: &a [1]\none: *a\n", "b.yaml": "x-a: &a [2]\ntwo: *a\n"}

    assert files == casc.read(folder(tmp_path, files))


def test_an_editors_copy_is_passed_over(tmp_path: Path) -> None:
    files = {"a.yaml": "one: 1\n", ".a.yaml.swp.yaml": "one: 2\n", "notes.txt": "three"}

    assert ["a.yaml"] == list(casc.read(folder(tmp_path, files)))


def test_variables_give_every_name_that_files_may_use() -> None:
    settings = load(ROOT / "environments" / "local.yaml")

    found = casc.make_variables(settings, "https://10.77.0.10/", "10.77.3.1")

    assert set(casc.VARIABLES) == set(found)
    assert "https://10.77.0.10/" == found["JENKINS_PUBLIC_URL"]
    assert str(settings.jenkins.executors) == found["JENKINS_EXECUTORS"]


def test_names_of_variables_leave_comments_out() -> None:
    assert {"A", "B"} == find_variables({"x": "# ${NOT}\na: ${A}-${B:-1}\nb: ${readFile:x}\n"})


def test_a_fault_after_a_blanked_part_is_told_on_its_own_line(server) -> None:
    found = [{"line": 4, "message": "Invalid configuration elements for type: class X : modee."}]
    server.on("POST", "configuration-as-code/check", (400, {}, json.dumps(found)))
    files = {"a.yaml": "jenkins:\n  proxy:\n    name: p\n  modee: NORMAL\n"}

    with pytest.raises(CascRejected) as caught:
        casc.plan(Machine({}), server.client, files, {}, Recorder())

    assert ["casc/a.yaml:4:3"] == [f"{f.file}:{f.line}:{f.column}" for f in caught.value.faults]


def test_what_the_environment_decides_is_judged_behind_its_variable(tmp_path: Path) -> None:
    values = casc.list_known_variables(load(ROOT / "environments" / "local.yaml"))

    assert {*casc.VARIABLES} - values.keys() == {"JENKINS_PUBLIC_URL", "SMTP_HOST"}
    with pytest.raises(CascRejected, match=r"\$\{BOOTSTRAP_ENVIRONMENT\}, here 'local', is not a number"):
        casc.read(folder(tmp_path, {"a.yaml": "jenkins: {quietPeriod: '${BOOTSTRAP_ENVIRONMENT}'}\n"}), values)
