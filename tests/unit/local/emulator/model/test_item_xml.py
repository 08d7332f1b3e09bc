"""What Jenkins makes of a definition: recorded on a real one, and the same table as the product's own judgement."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.jenkins.definitions import elements
from bootstrap.local.emulator.model import item_xml, xmlfile
from bootstrap.local.emulator.model.job_options import note_declarations

CASES = Path(__file__).parents[4] / "cases" / "job_xml.yaml"
ITEMS = [case for case in yaml.safe_load(CASES.read_text()) if case["sent"].startswith(("<project", "<flow"))]
PLUGINS = {"git": "5.10.1", "workflow-job": "1571", "workflow-cps": "4370", "pipeline-model-definition": "2"}


def rewritten(xml: str) -> str:
    root = xmlfile.parse(xml)
    item_xml.rewrite(root, PLUGINS)
    return xmlfile.serialise_for_client(root).decode()


def plain(xml: str) -> str:
    return re.sub(r' plugin="[^"]*"', "", xml).rstrip("\n")


@pytest.mark.parametrize("case", ITEMS, ids=lambda case: case["case"])
def test_a_recorded_definition_becomes_what_jenkins_made_of_it(case: dict[str, Any]) -> None:
    assert plain(case["kept"]) == plain(rewritten(case["sent"]))


@pytest.mark.parametrize("case", ITEMS, ids=lambda case: case["case"])
def test_what_was_rewritten_once_stays(case: dict[str, Any]) -> None:
    once = rewritten(case["sent"])

    assert once == rewritten(once)


def test_a_plugin_is_named_where_another_begins() -> None:
    kind = "org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"
    scm = '<scm class="hudson.plugins.git.GitSCM"><branches><hudson.plugins.git.BranchSpec/></branches></scm>'

    text = rewritten(f'<flow-definition plugin="x"><definition class="{kind}">{scm}</definition></flow-definition>')

    assert ["workflow-job@1571", "workflow-cps@4370", "git@5.10.1"] == re.findall(r'plugin="([^"]*)"', text)


def test_a_reference_names_no_plugin() -> None:
    reference = '<owner class="hudson.plugins.git.GitSCM" reference="../../.."/>'

    text = rewritten(f"<project><properties><hudson.model.X>{reference}</hudson.model.X></properties></project>")

    assert reference in text


def test_a_class_of_an_absent_plugin_goes_with_all_that_it_holds() -> None:
    text = rewritten("<project><publishers><hudson.tasks.Mailer><x/></hudson.tasks.Mailer></publishers></project>")

    assert "<publishers/>" in text


@pytest.mark.parametrize("name", ["hudson.scm.SubversionSCM$ModuleLocation", "hudson.tasks.Shell", "no.Such", "git.X"])
def test_emulator_and_product_read_the_table_alike(name: str) -> None:
    assert elements.find_owner(name) == item_xml.find_owner(name)


def test_a_build_is_noted_once() -> None:
    root = xmlfile.parse("<flow-definition><description>d</description></flow-definition>")
    for _ in range(2):
        noted = note_declarations({"parameters": [{"$class": "string", "name": "WORD"}]})
        item_xml.record_declarations(root, PLUGINS, noted)

    assert 1 == len(root.findall("actions"))
    assert "WORD" == root.findtext("actions/*/parameters/string")


def test_entities_of_the_document_are_expanded_and_external_ones_are_empty(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read this")

    inner = xmlfile.parse('<!DOCTYPE r [<!ENTITY e "x">]><r>a&e;b</r>')
    outer = xmlfile.parse(f'<!DOCTYPE r [<!ENTITY e SYSTEM "{secret.as_uri()}">]><r>a&e;b</r>')
    parameter = xmlfile.parse(f'<!DOCTYPE r [<!ENTITY % p SYSTEM "{secret.as_uri()}"> %p;]><r>ab</r>')

    assert ["axb", "ab", "ab"] == [inner.text, outer.text, parameter.text]


def test_the_encoding_of_the_declaration_counts() -> None:
    assert "ü" == xmlfile.parse('<?xml version="1.1" encoding="ISO-8859-1"?><r>ü</r>'.encode("latin-1")).text


MORE_PLUGINS = {
    **PLUGINS,
    **dict.fromkeys(
        ("junit", "mailer", "matrix-project", "workflow-multibranch", "branch-api", "cloudbees-folder"), "1"
    ),
}
ORGANIZATION = "jenkins.branch.OrganizationFolder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"


def rewrite_part(xml: str, path: str) -> list[tuple[str, str]]:
    """The fields of one element of a rewritten document, each with its text."""
    root = xmlfile.parse(xml)
    item_xml.rewrite(root, MORE_PLUGINS)
    return [(child.tag, child.text or "") for child in root.find(path)]


@pytest.mark.only_read
@pytest.mark.parametrize(
    ("holder", "given", "wanted"),
    [
        (
            "builders",
            "<hudson.tasks.Shell><old/><command>echo</command></hudson.tasks.Shell>",
            [("command", "echo"), ("configuredLocalRules", "")],
        ),
        (
            "publishers",
            "<hudson.tasks.ArtifactArchiver><fingerprint>maybe</fingerprint><artifacts>a</artifacts>"
            "<defaultExcludes>false</defaultExcludes></hudson.tasks.ArtifactArchiver>",
            [
                ("artifacts", "a"),
                ("allowEmptyArchive", "false"),
                ("onlyIfSuccessful", "false"),
                ("fingerprint", "false"),
                ("defaultExcludes", "false"),
                ("caseSensitive", "true"),
                ("followSymlinks", "true"),
            ],
        ),
        (
            "publishers",
            "<hudson.tasks.Mailer><recipients>a@b</recipients><sendToIndividuals>TRUE</sendToIndividuals></hudson.tasks.Mailer>",
            [("recipients", "a@b"), ("dontNotifyEveryUnstableBuild", "false"), ("sendToIndividuals", "true")],
        ),
        (
            "triggers",
            "<hudson.triggers.SCMTrigger><spec>H * * * *</spec></hudson.triggers.SCMTrigger>",
            [("spec", "H * * * *"), ("ignorePostCommitHooks", "false")],
        ),
    ],
)
def test_parts_of_a_project_get_the_fields_of_their_classes(
    holder: str, given: str, wanted: list[tuple[str, str]]
) -> None:
    assert wanted == rewrite_part(f"<project><{holder}>{given}</{holder}></project>", f"{holder}/*")


@pytest.mark.only_read
def test_parameters_get_the_fields_of_their_classes() -> None:
    parameter = "<hudson.model.StringParameterDefinition><name>A</name></hudson.model.StringParameterDefinition>"
    kind = "hudson.model.ParametersDefinitionProperty"
    held = f"<{kind}><parameterDefinitions>{parameter}</parameterDefinitions></{kind}>"
    xml = f"<project><properties>{held}</properties></project>"

    assert [("name", "A"), ("trim", "false")] == rewrite_part(xml, "properties/*/parameterDefinitions/*")


@pytest.mark.only_read
def test_a_field_that_is_named_like_an_item_is_none() -> None:
    text = rewritten(
        "<project><scm class='hudson.plugins.git.GitSCM'><browser><project>x</project></browser></scm></project>"
    )

    assert "<project>x</project>" in text


@pytest.mark.only_read
def test_an_empty_multibranch_project_gets_its_parts() -> None:
    root = xmlfile.parse(f"<{MULTIBRANCH}/>")
    item_xml.rewrite(root, MORE_PLUGINS)

    fields = ["properties", "folderViews", "healthMetrics", "icon", "orphanedItemStrategy", "triggers", "disabled"]
    assert [*fields, "sources", "factory"] == [child.tag for child in root]
    assert {"branch-api@1"} == {root.find(tag).get("plugin") for tag in ("folderViews", "icon", "sources")}
    assert [MULTIBRANCH] * 4 == [owner.get("class") for owner in root.iter("owner")]
    assert "Jenkinsfile" == root.findtext("factory/scriptPath")
    assert "false" == root.findtext("orphanedItemStrategy/abortBuilds")


@pytest.mark.only_read
def test_an_organization_folder_gets_its_parts() -> None:
    factory = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProjectFactory"
    root = xmlfile.parse(
        f'<{ORGANIZATION}><folderViews class="other"/><navigators/><projectFactories><{factory}/></projectFactories>'
        f"<unknown/></{ORGANIZATION}>"
    )
    item_xml.rewrite(root, MORE_PLUGINS)

    fields = ["properties", "folderViews", "healthMetrics", "icon", "orphanedItemStrategy", "triggers", "disabled"]
    assert [*fields, "navigators", "projectFactories", "buildStrategies"] == [child.tag for child in root]
    assert f"{ORGANIZATION}ViewHolder" == root.find("folderViews").get("class")
    assert [None, ORGANIZATION] == [owner.get("class") for owner in root.iter("owner")]
    assert ["OrganizationChildTriggersProperty", "OrganizationChildOrphanedItemsProperty"] == [
        child.tag.removeprefix("jenkins.branch.") for child in root.find("properties")
    ]
    assert "86400000" == root.findtext("properties//interval")
    assert "Jenkinsfile" == root.findtext(f"projectFactories/{factory}/scriptPath")


@pytest.mark.only_read
def test_an_organization_folder_keeps_the_properties_that_it_has() -> None:
    given = "<jenkins.branch.OrganizationChildTriggersProperty><templates/></jenkins.branch.OrganizationChildTriggersProperty>"
    text = f"<{ORGANIZATION}><properties>{given}</properties><navigators/><projectFactories/></{ORGANIZATION}>"
    once = xmlfile.parse(text)
    item_xml.rewrite(once, MORE_PLUGINS)
    written = xmlfile.serialise(once)
    item_xml.rewrite(once, MORE_PLUGINS)

    assert 2 == len(once.find("properties"))
    assert 0 == len(once.find("properties")[0].find("templates"))
    assert written == xmlfile.serialise(once)


@pytest.mark.only_read
def test_a_matrix_project_gets_its_strategy() -> None:
    parts = "<buildWrappers/><publishers/><builders/><axes/>"

    assert [("runSequentially", "false")] == rewrite_part(
        f"<matrix-project>{parts}</matrix-project>", "executionStrategy"
    )
