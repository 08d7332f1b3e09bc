"""Which agents the settings define, and which jobs none of them takes."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml

from bootstrap.environment.agents import AgentGroup
from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions import agents, labels
from bootstrap.jenkins.definitions.agents import Agent, Agents
from bootstrap.jenkins.definitions.casc_variables import Variables
from bootstrap.jenkins.definitions.groovy_text import find_line

ROOT = Path(__file__).resolve().parents[4]
OURS = {path.name: path.read_text() for path in (ROOT / "casc").glob("*.yaml")}
MACHINE = Agents((Agent("machine", frozenset({"machine", "infrastructure", "linux"}), True),))
OPEN = Agents((*MACHINE.found, Agent("other", frozenset({"other"}), False)))
NODE = "jenkins:\n  numExecutors: 0\n  nodes:\n    - permanent: {name: one, labelString: 'a  b'%s}\n"


@pytest.mark.parametrize(
    ("expression", "is_taken"),
    [
        ("linux", True),
        ("machine", True),
        ("windows", False),
        ("linux && infrastructure", True),
        ("linux&&!windows", True),
        ("windows || linux", True),
        ("windows || !linux", False),
        ("!(windows || gpu)", True),
        ("linux -> windows", False),
        ("windows -> gpu", True),
        ("linux <-> infrastructure", True),
        ("linux<->windows", False),
        ('"linux"', True),
        ("linux-arm", False),
    ],
)
def test_a_label_expression_means_what_it_means_in_jenkins(expression: str, is_taken: bool) -> None:
    assert is_taken is labels.satisfies(MACHINE.found[0].labels, expression)
    is_named = bool(labels.find_names(expression) & MACHINE.found[0].labels)
    assert (is_taken and is_named) is (MACHINE.explain_refusal(expression) is None)


@pytest.mark.parametrize("expression", ["a &&", "(a", "a)", "a b", "&& a", "a & b", '"a'])
def test_what_is_no_label_expression_is_refused(expression: str) -> None:
    with pytest.raises(labels.NoExpression, match="is not a label expression"):
        labels.satisfies({"a"}, expression)
    assert "asks for a label that Jenkins cannot read" in str(MACHINE.explain_refusal(expression))


@pytest.mark.parametrize("expression", ["(" * 5000 + "a" + ")" * 5000, "!" * 5000 + "a"])
def test_a_label_expression_that_is_nested_too_deeply_is_refused(expression: str) -> None:
    assert "it has more than 50 of '(' and '!'" in str(MACHINE.explain_refusal(expression))


def test_a_pipeline_that_is_nested_too_deeply_is_not_judged() -> None:
    assert list(agents.find_script_faults("node {" * 5000 + "}" * 5000, MACHINE)) == []


def test_a_job_without_a_label_needs_an_agent_that_takes_it() -> None:
    assert "asks for no label, and every agent takes" in str(MACHINE.explain_refusal(""))
    assert "use one of these labels: infrastructure, linux" in str(MACHINE.explain_refusal(""))
    assert OPEN.explain_refusal("") is None
    assert "there is no agent with a label" in str(Agents(()).explain_refusal("x"))


@pytest.mark.parametrize("expression", ["!windows", "!other", "!(windows || gpu)", "windows -> gpu"])
def test_an_exclusive_agent_takes_no_job_that_names_none_of_its_labels(expression: str) -> None:
    assert "which also fits the agent 'machine'" in str(OPEN.explain_refusal(expression))
    assert OPEN.explain_refusal(f"other && ({expression} || other)") is None


def read_ours(**groups: AgentGroup) -> Agents:
    """The agents of this repository's settings, in an environment with these groups."""
    found = agents.read(OURS, Variables((), agents.make_builder_variables(groups)), groups)
    assert found is not None
    return found


def test_the_settings_of_this_repository_have_a_place_for_jobs_without_a_label() -> None:
    found = read_ours()
    machine = Agent("machine", frozenset({"machine", "infrastructure"}), True)
    builder = Agent("builder", frozenset({"builder", "linux"}), False)
    assert found == Agents((machine, builder))
    assert all(found.explain_refusal(label) is None for label in ("", "linux", "infrastructure"))
    assert "use one of these labels: infrastructure, linux, or add a group of agents" in str(
        found.explain_refusal("docker")
    )


EXCLUSIVE, OPEN_GROUP = AgentGroup(), AgentGroup(exclusive=False)


def test_an_exclusive_group_takes_the_jobs_that_ask_for_it() -> None:
    found = read_ours(big=EXCLUSIVE)
    assert Agent("builder", frozenset({"builder", "linux"}), False) in found.found
    assert all(found.explain_refusal(label) is None for label in ("", "linux", "infrastructure", "big", "(big)"))
    assert "use one of these labels: big, infrastructure, linux" in str(found.explain_refusal("small"))


def test_a_group_that_takes_ordinary_jobs_takes_them_from_the_builder() -> None:
    found = read_ours(big=OPEN_GROUP)
    assert Agent("builder", frozenset({"builder"}), True) in found.found
    assert all(found.explain_refusal(label) is None for label in ("", "big", "builder"))
    assert "use one of these labels: big, infrastructure," in str(found.explain_refusal("linux"))


def test_a_group_of_the_builders_label_takes_it_and_leaves_jobs_without_a_label() -> None:
    found = read_ours(linux=EXCLUSIVE)
    assert Agent("builder", frozenset({"builder"}), False) in found.found
    assert all(found.explain_refusal(label) is None for label in ("", "linux", "builder"))
    assert Agent("builder", frozenset({"builder"}), True) in read_ours(linux=OPEN_GROUP).found


@pytest.mark.parametrize("expression", ["big || gpu", "big && !gpu", "!infrastructure", "big || infrastructure || x"])
def test_nobody_makes_an_agent_of_a_group_for_an_expression_with_other_labels(expression: str) -> None:
    alone = Agents((Agent("big", frozenset({"big"}), False, is_group=True),))
    assert "which no agent has" in str(alone.explain_refusal(expression))
    assert alone.explain_refusal("big || !big") is None


def test_settings_of_agents_have_jenkins_defaults() -> None:
    one = Agent("one", frozenset({"one", "a", "b"}), False)
    assert Agents((one,)) == agents.read({"a.yaml": NODE % ""}, Variables())
    assert Agents(()) == agents.read({"a.yaml": NODE % ", numExecutors: 0"}, Variables())
    built_in = Agent("built-in", frozenset({"built-in"}), False)
    assert Agents((one, built_in)) == agents.read({"a.yaml": NODE.replace("  numExecutors: 0\n", "") % ""}, Variables())
    split = {"a.yaml": NODE % ", mode: exclusive", "b.yaml": "jenkins: {labelString: x}\n"}
    assert Agents((Agent("one", one.labels, True),)) == agents.read(split, Variables())


def test_labels_that_are_not_known_here_are_not_judged() -> None:
    cloud = "jenkins: {clouds: [{eC2Fleet: {name: fleet, labelString: big}}]}\n"
    variables = Variables((), agents.make_builder_variables({}))
    assert agents.read(OURS | {"clouds.yaml": cloud}, variables) is None
    text = NODE.replace("'a  b'", '"${LABELS}"') % ""
    assert agents.read({"a.yaml": text}, Variables(["LABELS"])) is None
    known = agents.read({"a.yaml": text}, Variables(["LABELS"], {"LABELS": "x y"}))
    assert Agents((Agent("one", frozenset({"one", "x", "y"}), False),)) == known


@pytest.mark.parametrize(
    ("xml", "label"),
    [
        ("<project><canRoam>true</canRoam></project>", ""),
        ("<project><assignedNode>a &amp;&amp; b</assignedNode><canRoam>false</canRoam></project>", "a && b"),
        ("<maven2-moduleset><canRoam>true</canRoam></maven2-moduleset>", ""),
        ("<project><canRoam>true</canRoam><disabled>true</disabled></project>", None),
        ("<flow-definition/>", None),
        ("<com.cloudbees.hudson.plugins.folder.Folder/>", None),
    ],
)
def test_the_label_of_a_job(xml: str, label: str | None) -> None:
    assert label == agents.find_label(ElementTree.fromstring(xml))


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ("pipeline {\n agent any\n stages { stage('a') { steps { echo 'x' } } } }", [2]),
        ("pipeline {\n agent none\n stages { stage('a') {\n agent { label 'gpu' }\n steps { echo 'x' } } } }", [4]),
        (
            "pipeline { agent { label 'infrastructure' }\n stages { stage('a') { agent any; steps { echo 'x' } } } }",
            [2],
        ),
        ("pipeline { agent { node { label 'gpu'; customWorkspace '/x' } } }", [1]),
        ('pipeline { agent { label "gpu" } }', [1]),
        ("pipeline { agent { label '' } }", [1]),
        ("pipeline { agent none\n stages { stage('a') { steps { script {\n node('gpu') { echo 'x' } } } } } }", [3]),
        ("node {\n sh 'true'\n node('gpu') { sh 'true' }\n}", [1, 3]),
        ("node(label: 'gpu') { sh 'true' }", [1]),
        ("timeout(5) {\n node('infrastructure') { sh 'true' } }", []),
        ("node('machine') { sh 'true' }", []),
        ("node(params.WHERE) { sh 'true' }", []),
        ("node(\"on-${params.WHERE}\") { sh 'true' }", []),
        ("node('a' + b) { sh 'true' }", []),
        ("pipeline { agent { label params.WHERE } }", []),
        ("pipeline { agent { docker { image 'x' } } }", []),
        ("pipeline { agent { kubernetes { yaml 'x' } } }", []),
        ("def agent = 'any'\necho agent", []),
        ("node('gpu { sh 'true' }", []),  # broken: told as such elsewhere
    ],
)
def test_where_a_pipeline_waits_for_ever(script: str, places: list[int]) -> None:
    found = list(agents.find_script_faults(script, MACHINE))
    assert places == [find_line(script, offset) for offset, _ in found]
    assert all("its builds would wait for ever" in message for _, message in found)


def test_an_agent_that_takes_any_job_takes_a_pipeline_without_a_label() -> None:
    assert not list(agents.find_script_faults("pipeline { agent any }", OPEN))
    assert list(agents.find_script_faults("pipeline { agent { label 'gpu' } }", OPEN))


def test_a_group_for_the_toolkits_jobs_takes_the_place_of_the_agent_on_the_machine() -> None:
    groups = {"infrastructure": AgentGroup()}
    changed = agents.remove_machine(OURS, groups)
    before, after = (yaml.safe_load(files["controller.yaml"])["jenkins"] for files in (OURS, changed))

    assert OURS == agents.remove_machine(OURS, {"linux": AgentGroup()})
    assert ["controller.yaml"] == [name for name in OURS if OURS[name] != changed[name]]
    assert ["machine", "builder"] == [it["permanent"]["name"] for it in before.pop("nodes")]
    assert yaml.safe_load(OURS["controller.yaml"])["jenkins"]["nodes"][1:] == after.pop("nodes")
    assert before == after
    found = agents.read(
        changed, Variables((), {"JENKINS_BUILDER_LABEL": "linux", "JENKINS_BUILDER_MODE": "NORMAL"}), groups
    )
    assert found is not None and found.explain_refusal("infrastructure") is None
    assert "no agent has" in str(found.explain_refusal("machine"))


@pytest.mark.parametrize(
    "text",
    [
        "jenkins:\n  nodes: [{permanent: {name: machine}}, {permanent: {name: other}}]\n",
        "jenkins:\n  nodes:\n    - permanent:\n        name: machine\n",
    ],
)
def test_an_agent_that_cannot_be_taken_out_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(CascRejected) as caught:
        agents.remove_machine({"own.yaml": text}, {"infrastructure": AgentGroup()})

    (fault,) = caught.value.faults
    assert ("casc/own.yaml", text[: text.index("permanent")].count("\n") + 1) == (fault.file, fault.line)
