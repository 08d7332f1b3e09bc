"""The jobs of this repository: what they render to, and that definitions, Jenkinsfiles and the command line fit together."""

import re
import shlex
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bootstrap.acts import jobs
from bootstrap.cli import parser
from bootstrap.jenkins.distribution.lock import load_lock

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "jobs" / "pipelines"
LOCK = load_lock(ROOT / "jenkins.lock.yaml")
URL = "https://git.example.org/toolkit.git"
RENDERED = jobs.render(ROOT / "jobs", {"repository": URL, "branch": "release"}, LOCK.plugins)
TREES = {name: ElementTree.fromstring(xml.encode()) for name, xml in RENDERED.jobs.items()}
SCRIPTS = {path.stem: path.read_text() for path in PIPELINES.glob("*.Jenkinsfile")}
TRIGGERS = ".//org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty/triggers"

every_job = pytest.mark.parametrize("name", TREES)
every_script = pytest.mark.parametrize("name", SCRIPTS)


def triggers(name: str) -> dict[str, str | None]:
    """The job's triggers: the class's short name to its schedule."""
    found = TREES[name].find(TRIGGERS)
    return {each.tag.rpartition(".")[2]: each.findtext("spec") for each in found} if found is not None else {}


def commands(script: str) -> list[list[str]]:
    """The toolkit's commands within a Jenkinsfile."""
    found = re.findall(r"sh '(\./bootstrap\.py .*?)(?: \|\| .*?)?'$", script, re.MULTILINE)
    return [
        shlex.split(re.sub(r"\$BOOTSTRAP_ENVIRONMENT|\$\{BOOTSTRAP_NETWORKS[^}]*\}", "local", text)) for text in found
    ]


def test_the_jobs_are_these_five() -> None:
    assert ["canary", "drift", "network", "seed", "verify"] == list(TREES)


@every_job
def test_a_job_takes_its_pipeline_from_the_repository_and_branch_of_the_environment(name: str) -> None:
    tree = TREES[name]

    assert "flow-definition" == tree.tag
    assert URL == tree.findtext("definition/scm/userRemoteConfigs/hudson.plugins.git.UserRemoteConfig/url")
    assert "*/release" == tree.findtext("definition/scm/branches/hudson.plugins.git.BranchSpec/name")
    assert f"jobs/pipelines/{name}.Jenkinsfile" == tree.findtext("definition/scriptPath")


@every_job
def test_a_job_is_said_to_be_enabled(name: str) -> None:
    assert "false" == TREES[name].findtext("disabled")


@every_job
def test_a_job_keeps_a_bounded_history_and_runs_alone_unless_it_only_looks(name: str) -> None:
    strategy = TREES[name].find(".//jenkins.model.BuildDiscarderProperty/strategy")

    assert strategy is not None
    assert ("60", "20") == (strategy.findtext("numToKeep"), strategy.findtext("artifactNumToKeep"))
    runs_alone = any(element.tag.endswith(".DisableConcurrentBuildsJobProperty") for element in TREES[name].iter())
    assert (name != "canary") == runs_alone  # `verify` starts one of these on each group of agents


@every_job
def test_a_job_holds_nothing_that_jenkins_would_report_as_old_data(name: str) -> None:
    assert TREES[name].find("definition/sandbox") is None


@every_job
def test_every_plugin_that_a_job_names_is_in_the_lock(name: str) -> None:
    named = {element.get("plugin") for element in TREES[name].iter()} - {None}

    assert set() == named - LOCK.plugins.keys()


def test_every_jenkinsfile_is_a_jobs_and_every_job_has_one() -> None:
    assert SCRIPTS.keys() == TREES.keys()


def test_seed_follows_the_repository() -> None:
    assert {"SCMTrigger": "H/5 * * * *"} == triggers("seed")


def test_verify_runs_nightly_and_after_what_changes_things() -> None:
    upstream = TREES["verify"].findtext(f"{TRIGGERS}/jenkins.triggers.ReverseBuildTrigger/upstreamProjects")

    assert {"TimerTrigger": "H 3 * * *", "ReverseBuildTrigger": ""} == triggers("verify")
    assert "seed,network" == upstream


def test_drift_is_looked_for_nightly() -> None:
    assert {"TimerTrigger": "H 4 * * *"} == triggers("drift")


def test_nothing_starts_the_network_job_but_a_person_who_may_also_only_look() -> None:
    choices = [each.text for each in TREES["network"].iterfind(".//choices//string")]

    assert {} == triggers("network")
    assert ["apply", "plan"] == choices


@every_script
def test_a_jenkinsfile_leaves_to_the_definition_what_it_would_overwrite(name: str) -> None:
    # A build writes a Jenkinsfile's triggers, parameters and job properties back into the job; a question's are no job's.
    script = re.sub(r"\binput \{(?:[^{}]|\{[^{}]*\})*\}", "", SCRIPTS[name])
    for word in ("triggers", "parameters", "buildDiscarder", "disableConcurrentBuilds"):
        assert re.search(rf"\b{word}\s*[({{]", script) is None


@every_script
def test_a_jenkinsfile_runs_on_the_controllers_label_and_has_an_end(name: str) -> None:
    labels = set(re.findall(r"agent \{ label (.+) \}", SCRIPTS[name]))
    assert {"params.LABEL" if name == "canary" else "'infrastructure'"} == labels
    assert "timeout(time:" in SCRIPTS[name]


def test_the_canary_runs_on_the_controllers_label_unless_it_is_asked_otherwise() -> None:
    parameters = TREES["canary"].iter("hudson.model.StringParameterDefinition")
    asked = {each.findtext("name"): each.findtext("defaultValue") for each in parameters}
    assert {"WORD": "canary", "LABEL": "infrastructure"} == asked


@every_script
def test_a_stage_whose_agent_is_lost_runs_again_unless_it_had_an_approval(name: str) -> None:
    """The session of an approval is for one run, and its plan fits only the network of which it was made."""
    stages = re.split(r"\bstage\('", SCRIPTS[name])[1:]
    with_agent = {stage.partition("'")[0]: stage for stage in stages if "agent {" in stage}

    assert with_agent
    for title, stage in with_agent.items():
        runs_again = "retry(count: 2, conditions: [agent(), nonresumable()])" in stage
        assert runs_again == ("input {" not in stage), title


@every_script
def test_a_failing_build_tells_the_owner(name: str) -> None:
    failure = re.split(r"(?:failure|unsuccessful) \{", SCRIPTS[name], maxsplit=1)[1]

    assert "mail to: env.JENKINS_ADMIN_ADDRESS" in failure
    assert "${env.BUILD_URL}console" in failure


@every_script
def test_a_jenkinsfile_is_balanced(name: str) -> None:
    text = re.sub(r"//.*|'[^']*'|\"[^\"]*\"", "", SCRIPTS[name])

    assert [text.count(mark) for mark in "{(["] == [text.count(mark) for mark in "})]"]


@pytest.mark.parametrize("name", ["drift", "network", "seed", "verify"])
def test_a_jenkinsfile_speaks_the_toolkits_own_command_line(name: str) -> None:
    found = commands(SCRIPTS[name])

    parsed = [parser.build_parser().parse_args(command[1:]) for command in found]

    assert len(re.findall(r"sh\b.*\./bootstrap\.py ", SCRIPTS[name])) == len(parsed) > 0
    assert {"local"} == {each.environment for each in parsed}


@pytest.mark.parametrize("name", ["drift", "network", "seed", "verify"])
def test_a_job_of_the_toolkit_archives_the_evidence_of_its_run(name: str) -> None:
    always = re.split(r"(?:failure|unsuccessful) \{", SCRIPTS[name].partition("always {")[2], maxsplit=1)[0]

    assert "archiveArtifacts artifacts: '.bootstrap/*/runs/**'" in always


def test_verify_keeps_its_checks_as_test_results() -> None:
    assert "junit testResults: '.bootstrap/*/runs/**/*.xml'" in SCRIPTS["verify"]
