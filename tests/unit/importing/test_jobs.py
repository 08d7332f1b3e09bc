"""Jobs in Job Builder's words or as XML: what is rendered from the files is what was read."""

from pathlib import Path

import pytest
import yaml
from recorded_jenkins import FOLDER, FREESTYLE, ROOT

from bootstrap.importing import jobs, own_settings, requirements
from bootstrap.importing.cleaning import clean
from bootstrap.importing.findings import Item
from bootstrap.importing.jobs import Converted
from bootstrap.jenkins.distribution import load_lock

LOCKED = load_lock(ROOT / "jenkins.lock.yaml").plugins
KEPT = [
    case["kept"]
    for case in yaml.safe_load((ROOT / "tests" / "cases" / "job_xml.yaml").read_text())
    if "<" in case.get("kept", "") and "View>" not in case["kept"]
]
FREE = FREESTYLE.replace("<canRoam>false", "<canRoam>true")
GIT = """\
<scm class="hudson.plugins.git.GitSCM" plugin="git@5.10.1">
  <configVersion>2</configVersion>
  <userRemoteConfigs>
    <hudson.plugins.git.UserRemoteConfig><url>https://git.example.org/a.git</url></hudson.plugins.git.UserRemoteConfig>
  </userRemoteConfigs>
  <branches><hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec></branches>
  <extensions/>
</scm>"""
PIPELINE = """\
<?xml version='1.1' encoding='UTF-8'?>
<flow-definition plugin="workflow-job@1571">
  <actions><org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJobAction/></actions>
  <keepDependencies>false</keepDependencies>
  <properties>PROPERTIES</properties>
  DEFINITION
  <triggers/>
  <disabled>false</disabled>
</flow-definition>"""
WORKFLOW = "org.jenkinsci.plugins.workflow"
PROPERTIES = f"""\
<{WORKFLOW}.job.properties.DisableConcurrentBuildsJobProperty>
  <abortPrevious>false</abortPrevious>
</{WORKFLOW}.job.properties.DisableConcurrentBuildsJobProperty>
<{WORKFLOW}.job.properties.PipelineTriggersJobProperty><triggers>
  <hudson.triggers.SCMTrigger>
    <spec>H/5 * * * *</spec><ignorePostCommitHooks>false</ignorePostCommitHooks>
  </hudson.triggers.SCMTrigger>
</triggers></{WORKFLOW}.job.properties.PipelineTriggersJobProperty>
<jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator">
  <daysToKeep>-1</daysToKeep><numToKeep>10</numToKeep><artifactDaysToKeep>-1</artifactDaysToKeep>
  <artifactNumToKeep>-1</artifactNumToKeep><removeLastBuild>false</removeLastBuild>
</strategy></jenkins.model.BuildDiscarderProperty>"""


def pipeline(script: str, sandbox: str = "true", properties: str = PROPERTIES) -> str:
    definition = (
        f'<definition class="{WORKFLOW}.cps.CpsFlowDefinition" plugin="workflow-cps@4"><script>{script}</script>'
        f"<sandbox>{sandbox}</sandbox></definition>"
    )
    return PIPELINE.replace("PROPERTIES", properties).replace("DEFINITION", definition)


def from_repository(url: str = "https://git.example.org/a.git") -> str:
    definition = (
        f'<definition class="{WORKFLOW}.cps.CpsScmFlowDefinition" plugin="workflow-cps@4">{GIT}'
        "<scriptPath>Jenkinsfile</scriptPath><lightweight>true</lightweight></definition>"
    )
    xml = PIPELINE.replace("PROPERTIES", "").replace("DEFINITION", definition)
    return xml.replace("https://git.example.org/a.git", url)


def with_builders(*builders: str) -> str:
    return FREE.replace("<builders/>", f"<builders>{''.join(builders)}</builders>")


def shell(command: str) -> str:
    return f"<hudson.tasks.Shell><command>{command}</command><configuredLocalRules/></hudson.tasks.Shell>"


def with_parameters(parameters: str) -> str:
    listed = f"<parameterDefinitions>{parameters}</parameterDefinitions>"
    definition = f"<hudson.model.ParametersDefinitionProperty>{listed}</hudson.model.ParametersDefinitionProperty>"
    return FREE.replace("<properties/>", f"<properties>{definition}</properties>")


def convert(**xml: str) -> Converted:
    items = [Item(name, text) for name, text in xml.items()]
    return jobs.convert(items, ROOT / "jobs", LOCKED)


def tell(converted: Converted) -> str:
    return "\n".join(map(str, converted.notes))


TIMER = "<triggers><hudson.triggers.TimerTrigger><spec>{}</spec></hudson.triggers.TimerTrigger></triggers>"
IN_WORDS = {
    "a Pipeline": pipeline("pipeline { agent any\n stages { stage('a') { steps { echo \"${x} {}\" } } } }\n"),
    "a Pipeline from a repository": from_repository(),
    "a freestyle job": FREE,
    "shell steps": with_builders(shell("#!/bin/sh\nfor i in 1 2; do\n  echo ${i} {x} &lt; y\ndone\n"), shell("true")),
    "other steps": with_builders("<hudson.tasks.BatchFile><command>echo %X% {y}</command></hudson.tasks.BatchFile>"),
    "a schedule and a label": FREE.replace("<triggers/>", TIMER.format("H 3 * * *")).replace(
        "<canRoam>true", "<assignedNode>linux</assignedNode><canRoam>false"
    ),
    "parameters": with_parameters(
        "<hudson.model.StringParameterDefinition><name>A</name><description>d</description><defaultValue>x {y}</defaultValue>"
        "<trim>true</trim></hudson.model.StringParameterDefinition>"
        "<hudson.model.BooleanParameterDefinition><name>B</name><defaultValue>true</defaultValue>"
        "</hudson.model.BooleanParameterDefinition>"
    ),
    "a disabled one with a name to show": FREE.replace(
        "<disabled>false", "<displayName>Yes: {no}</displayName><disabled>true"
    ),
}
AS_XML = {
    "a folder": FOLDER,
    "a field without words": FREE.replace(
        "<builders/>", "<builders/><logRotator><daysToKeep>3</daysToKeep></logRotator>"
    ),
    "carriage returns": with_builders(shell("echo a&#xd;\necho b&#xd;\n")),
    "a job that no label ties": FREESTYLE,
    "white space at the end of lines": with_builders(shell("echo a   \n\techo b\n\n\n")),
}


@pytest.mark.parametrize("case", IN_WORDS)
def test_a_job_in_words_renders_to_what_was_read(case: str) -> None:
    (outcome,) = convert(a=IN_WORDS[case]).outcomes
    assert (outcome.is_xml, outcome.difference) == (False, "")


@pytest.mark.parametrize("case", AS_XML)
def test_a_job_that_words_cannot_say_renders_to_what_was_read(case: str) -> None:
    (outcome,) = convert(a=AS_XML[case]).outcomes
    assert outcome.difference == ""


def test_what_only_xml_can_say_is_kept_as_xml() -> None:
    converted = convert(a=AS_XML["carriage returns"], b=AS_XML["a field without words"])
    assert [each.is_xml for each in converted.outcomes] == [True, True]
    assert b"echo a&#13;\necho b&#13;\n" in converted.files["raw/a.xml"]


def test_what_a_jenkins_was_recorded_to_keep_makes_no_difference() -> None:
    xml = {f"j{number}": text.replace("<sandbox>false", "<sandbox>true") for number, text in enumerate(KEPT)}
    converted = convert(**xml)
    assert [each.difference for each in converted.outcomes] == [""] * len(KEPT)


def test_a_script_is_a_file_that_job_builder_includes_as_it_is() -> None:
    converted = convert(a=IN_WORDS["a Pipeline"])
    assert converted.files["pipelines/imported/a.groovy"].decode().startswith("pipeline { agent any\n stages {")
    assert b"actions" not in converted.files["imported.yaml"]


def test_a_pipeline_without_the_sandbox_differs_and_says_so() -> None:
    converted = convert(a=pipeline("x", "false"), b=pipeline("x", "true"))
    assert [each.difference for each in converted.outcomes] == [
        "- <sandbox>false</sandbox>, + <sandbox>true</sandbox>",
        "",
    ]


def test_a_job_that_the_toolkit_refuses_is_left_out_with_what_it_holds_and_told() -> None:
    bad = FREE.replace(
        "<triggers/>",
        "<triggers><hudson.triggers.TimerTrigger><spec>99 * * * *</spec></hudson.triggers.TimerTrigger></triggers>",
    )
    converted = convert(bad=bad, good=FREE)
    assert [each.name for each in converted.outcomes] == ["good"]
    assert "job bad: the toolkit refuses it: '99 * * * *' is not a schedule" in tell(converted)


def test_no_job_is_left_out_for_a_plugin_that_is_not_listed() -> None:
    rights = '<some.folder.Rights plugin="some-rights@1.2"/>'
    folder = FOLDER.replace("<properties/>", f"<properties>{rights}</properties>")
    assert folder != FOLDER
    items = [
        Item("team", folder),
        Item("team/free", FREE),
        Item("declared", with_builders('<some.plugin.Step plugin="nobody-has-it@1"/>')),
        Item("known", with_builders("<hudson.plugins.gradle.Gradle><tasks>x</tasks></hudson.plugins.gradle.Gradle>")),
    ]
    converted = jobs.convert(items, ROOT / "jobs", LOCKED)
    assert {each.name: each.difference for each in converted.outcomes} == dict.fromkeys(
        ["team", "team/free", "declared", "known"], ""
    )
    told = "\n".join(
        map(str, requirements.judge(converted.rendered, LOCKED, own_settings.read_layers(ROOT / "casc", None)))
    )
    for name in ("nobody-has-it", "gradle", "some-rights"):
        assert f"plugin {name}: jenkins.lock.yaml does not have it" in told


def test_secrets_in_jobs_are_left_out_and_named() -> None:
    cipher = "{AQAABAAAAAQwLwEdHJ8sUZ+Ux1u8dJm0w==}"
    password = f"<hudson.model.PasswordParameterDefinition><name>P</name><defaultValue>{cipher}</defaultValue>"
    xml = with_parameters(f"{password}</hudson.model.PasswordParameterDefinition>")
    xml = xml.replace("<disabled>", "<authToken>start-me</authToken><disabled>")
    script = "sh 'git clone https://me:hunter2@git.example.org/x https://$U:$P@h'"
    converted = convert(a=xml, b=from_repository("https://me:geheim@git.example.org/a.git"), c=pipeline(script))
    everything = b"".join(converted.files.values())
    assert not any(secret in everything for secret in (b"AQAA", b"start-me", b"geheim"))
    assert b"https://git.example.org/a.git" in everything
    assert [each.difference for each in converted.outcomes] == ["", "", ""]
    told = tell(converted)
    assert "secret a: authToken: it was left out of the job" in told
    assert "PasswordParameterDefinition/defaultValue: it was left out of the job" in told
    assert "url, user and password in the URL: it was left out of the job" in told
    assert "secret c: definition/script: a URL there seems to have a password; replace it by a credential" in told


def test_a_job_that_this_toolkit_made_gets_no_second_footer() -> None:
    made = FREE.replace("ü", "ü\n\nManaged as code; change it in the repository. [render 0123456789abcdef]")
    converted = convert(a=made)
    assert [each.difference for each in converted.outcomes] == [""]
    assert converted.rendered["a"].count("[render ") == 1


def test_stars_in_place_of_a_secret_are_a_secret_too() -> None:
    cleaned = clean(
        "<project><x.Notifier><apiToken>********</apiToken><useToken>true</useToken></x.Notifier></project>"
    )
    assert cleaned.secrets == ("Notifier/apiToken",)


def test_names_with_braces_and_spaces_are_written_and_read_again(tmp_path: Path) -> None:
    items = [Item("a {b} c", FREE), Item("team", FOLDER), Item("team/x {y}", IN_WORDS["a Pipeline"])]
    converted = jobs.convert(items, ROOT / "jobs", LOCKED)
    assert {each.name: each.difference for each in converted.outcomes} == {"a {b} c": "", "team": "", "team/x {y}": ""}


def test_deep_braces_and_numbers_that_are_none_break_nothing() -> None:
    deep = pipeline("a {" * 5000 + "}" * 5000)
    strange = pipeline("x", properties=PROPERTIES.replace("<numToKeep>10<", "<numToKeep>\u00b2<"))
    long = pipeline("x", properties=PROPERTIES.replace("<numToKeep>10<", f"<numToKeep>{'9' * 5000}<"))
    converted = convert(deep=deep, strange=strange, long=long)
    assert {each.name: each.difference for each in converted.outcomes} == {"deep": "", "strange": "", "long": ""}
    list(requirements.judge(converted.rendered, LOCKED, own_settings.read_layers(ROOT / "casc", None)))


def test_a_folder_with_the_name_of_a_script_takes_no_place_of_it() -> None:
    script = IN_WORDS["a Pipeline"]
    items = [Item("a", script), Item("a.groovy", FOLDER), Item("a.groovy/b", script)]
    converted = jobs.convert(items, ROOT / "jobs", LOCKED)
    assert {each.name: each.is_xml for each in converted.outcomes} == {"a": False, "a.groovy": True, "a.groovy/b": True}


def test_a_path_that_is_too_long_is_left_out_and_told() -> None:
    names = ["/".join(["x" * 190] * depth) for depth in range(1, 21)]
    items = [Item(name, FOLDER) for name in names]
    converted = jobs.convert([*items, Item("good", FREE)], ROOT / "jobs", LOCKED)
    assert len(converted.outcomes) == 11 and len(converted.notes) == 10
    assert "its name with its folders has more than 2000 bytes; move it up there" in tell(converted)
