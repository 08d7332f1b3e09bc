"""Jobs as XML files are rendered with the others, get the same checks and footer, and cannot harm the parser."""

from pathlib import Path

import pytest
import yaml

from bootstrap.errors import JobsInvalid
from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.definitions import safe_xml
from bootstrap.jenkins.definitions.footer import read_digest
from bootstrap.jenkins.definitions.rendering import render

ROOT = Path(__file__).resolve().parents[4]
INI = (ROOT / "jobs" / "job-builder.ini").read_text()
PLUGINS = {"cloudbees-folder": "6", "workflow-job": "1", "workflow-cps": "1"}
VARIABLES = {"repository": "file:///srv/git/toolkit.git", "branch": "main"}
FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
RECORDED = [
    case
    for case in yaml.safe_load((ROOT / "tests" / "cases" / "job_xml.yaml").read_text())
    if "<" in case.get("kept", "") and "View>" not in case["kept"]
]


def definitions(tmp_path: Path, files: dict[str, str], text: str = "") -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "job-builder.ini").write_text(INI)
    (folder / "jobs.yaml").write_text("- defaults: {name: global, disabled: false}\n" + text)
    for name, xml in files.items():
        path = folder / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(xml.encode())
    return folder


def rendered(tmp_path: Path, files: dict[str, str], text: str = "") -> dict[str, str]:
    return dict(render(definitions(tmp_path, files, text), VARIABLES, PLUGINS).jobs)


def refusal(tmp_path: Path, files: dict[str, str], text: str = "") -> str:
    with pytest.raises(JobsInvalid) as refused:
        rendered(tmp_path, files, text)
    return str(refused.value)


def test_the_path_of_the_file_is_the_name_of_the_job_and_folders_come_first(tmp_path: Path) -> None:
    files = {"team/build it.xml": "<project/>", "team.xml": FOLDER, "alone.xml": "<project/>"}
    found = rendered(tmp_path, files)
    assert list(found) == ["alone", "team", "team/build it"]
    assert all(read_digest(xml) for xml in found.values())


@pytest.mark.parametrize("case", RECORDED, ids=[case["case"] for case in RECORDED])
def test_what_a_jenkins_kept_is_rendered_as_it_is(case: dict[str, str], tmp_path: Path) -> None:
    """Recorded: nothing is lost, and nothing is added but the footer (and the sandbox)."""
    xml = case["kept"].replace("<sandbox>false</sandbox>", "<sandbox>true</sandbox>")
    plugins = {*PLUGINS, *(element.partition('plugin="')[2].partition("@")[0] for element in xml.split("<"))}
    job = render(definitions(tmp_path, {"a.xml": xml}), VARIABLES, dict.fromkeys(plugins - {""}, "1")).jobs["a"]
    assert job_xml.find_losses(xml, job) == job_xml.Losses()
    both = job_xml.remove_rewrites(job, xml)
    assert both is not None
    for root in both:
        for description in root.findall("description"):
            root.remove(description)
    assert job_xml.format_xml(both[0]) == job_xml.format_xml(both[1])


def test_a_text_with_carriage_returns_and_white_space_stays_as_it_is(tmp_path: Path) -> None:
    command = "echo a&#xd;\n  echo b &lt; c\n"
    xml = (
        f"<project><builders><hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell></builders></project>"
    )
    found = safe_xml.parse(rendered(tmp_path, {"a.xml": xml})["a"])
    assert found.findtext("builders/hudson.tasks.Shell/command") == "echo a\r\n  echo b < c\n"


@pytest.mark.parametrize(
    ("xml", "place", "message"),
    [
        ("<project>\n <builders>\n</project>", "3:3", "not XML: mismatched tag"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><project>&e;</project>', "1:", "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><project/>', "1:", "document type"),
        ("<a>" * 300 + "</a>" * 300, "1:", "nested more than 200 deep"),
        (
            "<project><description>&#x1b;</description></project>",
            "1:",
            "not XML: reference to invalid character number",
        ),
        ("<project>\n <a:b/></project>", "2:2", "not XML: unbound prefix"),
        ("<project/>" + " " * 2_000_000, "1:1", "more than the limit"),
        ("<project><builders><EnvInjectBuilder/></builders></project>", "1:1", "plugin envinject"),
        (
            "<project><triggers><hudson.triggers.TimerTrigger><spec>99 * * * *</spec></hudson.triggers.TimerTrigger>"
            "</triggers></project>",
            "1:1",
            "not within 0-59",
        ),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(xml: str, place: str, message: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, {"a.xml": xml})
    assert f"jobs/raw/a.xml:{place}" in said and message in said


def test_a_folder_that_nothing_makes_and_a_name_that_is_taken_are_refused(tmp_path: Path) -> None:
    text = "- job: {name: b}\n"
    said = refusal(tmp_path, {"none/a.xml": "<project/>", "b.xml": "<project/>"}, text)
    assert "jobs/raw/none/a.xml:1:1: 'none/a' is in the folder 'none', which no job defines" in said
    assert "jobs/raw/b.xml:1:1: the job 'b' is defined in a YAML file, too" in said


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    files = {"a.xml": "<project/>", ".a.xml": "<project/>", ".git/b.xml": "no xml", "team/.b/c.xml": "<project/>"}
    assert list(rendered(tmp_path, {**files, "team.xml": FOLDER})) == ["a", "team"]


def test_a_pipeline_in_xml_runs_in_the_sandbox(tmp_path: Path) -> None:
    kind = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"
    definition = f'<definition class="{kind}"><script>x</script><sandbox>false</sandbox></definition>'
    xml = f"<flow-definition>{definition}</flow-definition>"
    assert "<sandbox>true</sandbox>" in rendered(tmp_path, {"a.xml": xml})["a"]
