"""What Jenkins rewrites by itself is no difference; what it lost is told. The pairs were recorded on a real Jenkins."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.controller.differences import format_diff
from bootstrap.views.drift.jobs import list_edits

RECORDED = yaml.safe_load((Path(__file__).parents[3] / "cases" / "job_xml.yaml").read_text())
PIPELINE = "org.jenkinsci.plugins.workflow.job.properties"
# The shape of this project's own jobs, and what Jenkins makes of it: that was described of the real one, field by field.
SENT = f"""<flow-definition plugin="workflow-job">
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition" plugin="workflow-cps">
    <scm class="hudson.plugins.git.GitSCM">
      <configVersion>2</configVersion>
      <userRemoteConfigs><hudson.plugins.git.UserRemoteConfig><url>file:///x</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>
      <disableSubmodules>false</disableSubmodules><recursiveSubmodules>false</recursiveSubmodules>
      <remotePoll>false</remotePoll><submoduleCfg class="list"/><reference/><gitConfigName/><gitConfigEmail/>
      <extensions/>
    </scm>
    <scriptPath>a.Jenkinsfile</scriptPath><lightweight>true</lightweight>
  </definition>
  <actions/>
  <description>x</description>
  <disabled>false</disabled>
  <properties>
    <{PIPELINE}.DisableConcurrentBuildsJobProperty/>
    <jenkins.model.BuildDiscarderProperty>
      <strategy class="hudson.tasks.LogRotator"><daysToKeep>-1</daysToKeep><numToKeep>60</numToKeep></strategy>
    </jenkins.model.BuildDiscarderProperty>
  </properties>
</flow-definition>"""
KEPT = f"""<?xml version="1.1" encoding="UTF-8"?>
<flow-definition plugin="workflow-job@1571">
  <actions>
    <org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJobAction plugin="pipeline-model-definition@2"/>
  </actions>
  <description>x</description>
  <keepDependencies>false</keepDependencies>
  <properties>
    <{PIPELINE}.DisableConcurrentBuildsJobProperty>
      <abortPrevious>false</abortPrevious>
    </{PIPELINE}.DisableConcurrentBuildsJobProperty>
    <jenkins.model.BuildDiscarderProperty>
      <strategy class="hudson.tasks.LogRotator">
        <daysToKeep>-1</daysToKeep><numToKeep>60</numToKeep><removeLastBuild>false</removeLastBuild>
      </strategy>
    </jenkins.model.BuildDiscarderProperty>
  </properties>
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition" plugin="workflow-cps@4370">
    <scm class="hudson.plugins.git.GitSCM" plugin="git@5.10.1">
      <configVersion>2</configVersion>
      <userRemoteConfigs><hudson.plugins.git.UserRemoteConfig><url>file:///x</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>
      <submoduleCfg class="empty-list"/>
      <extensions/>
    </scm>
    <scriptPath>a.Jenkinsfile</scriptPath><lightweight>true</lightweight>
  </definition>
  <triggers/>
  <disabled>false</disabled>
</flow-definition>"""


def difference(sent: str, kept: str) -> list[str]:
    found = job_xml.remove_rewrites(sent, kept)
    assert found is not None
    ours, theirs = map(job_xml.format_xml, found)
    return [line for line in format_diff(theirs, ours, "a").splitlines()[2:] if line[0] in "+-"]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["case"])
def test_a_recorded_pair_differs_only_in_what_was_lost(case: dict[str, Any]) -> None:
    lost = job_xml.find_losses(case["sent"], case["kept"])

    assert (case.get("lost", []), case.get("fields", [])) == (list(lost.elements), list(lost.fields))
    assert case.get("differs", []) == difference(case["sent"], case["kept"])


def test_a_job_that_jenkins_only_rewrote_has_no_difference() -> None:
    assert job_xml.Losses() == job_xml.find_losses(SENT, KEPT)
    assert [] == difference(SENT, KEPT)
    assert [] == list_edits(SENT, KEPT)


def test_a_real_change_is_the_only_difference() -> None:
    changed = SENT.replace("<numToKeep>60", "<numToKeep>30")

    assert ["-        <numToKeep>60</numToKeep>", "+        <numToKeep>30</numToKeep>"] == difference(changed, KEPT)
    assert ["strategy numToKeep: expected '30', actual '60'"] == list_edits(changed, KEPT)


def test_a_value_other_than_the_default_of_an_added_field_is_a_difference() -> None:
    there = KEPT.replace("<removeLastBuild>false", "<removeLastBuild>true")

    assert ["-        <removeLastBuild>true</removeLastBuild>"] == difference(SENT, there)


def test_the_outermost_dropped_element_is_reported() -> None:
    start, end = KEPT.index("    <scm "), KEPT.index("    </scm>") + len("    </scm>\n")

    assert ("hudson.plugins.git.GitSCM",) == job_xml.find_losses(SENT, KEPT[:start] + KEPT[end:]).elements


def test_one_dropped_element_of_two_of_a_class_is_reported() -> None:
    shell = "<hudson.tasks.Shell><command>{}</command></hudson.tasks.Shell>"
    sent = f"<project><builders>{shell.format(1)}{shell.format(2)}</builders></project>"

    assert ("hudson.tasks.Shell",) == job_xml.find_losses(sent, sent.replace(shell.format(1), "")).elements


def test_an_element_that_jenkins_keeps_elsewhere_is_not_lost() -> None:
    rotation = '<{} class="hudson.tasks.LogRotator"><numToKeep>3</numToKeep></{}>'
    sent = f"<project>{rotation.format('logRotator', 'logRotator')}</project>"
    discarder = "jenkins.model.BuildDiscarderProperty"
    held = f"<{discarder}>{rotation.format('strategy', 'strategy')}</{discarder}>"
    kept = f"<project><properties>{held}</properties></project>"

    assert () == job_xml.find_losses(sent, kept).elements


def test_an_empty_entry_of_a_list_of_texts_is_no_default() -> None:
    there = "<a><b><string>1</string></b></a>"

    assert ["+    <string />"] == difference("<a><b><string/><string>1</string></b></a>", there)


def test_the_order_of_a_list_is_a_difference_and_that_of_fields_is_none() -> None:
    assert [] != difference("<a><b>1</b><b>2</b></a>", "<a><b>2</b><b>1</b></a>")
    assert [] == difference("<a><b>1</b><c>2</c></a>", "<a><c>2</c><b>1</b></a>")


def test_a_text_that_is_no_xml_is_not_compared() -> None:
    assert job_xml.remove_rewrites("<a/>", "<a") is None
    assert 1 == len(job_xml.find_losses("<a/>", "<a").elements)


def test_a_build_does_not_change_the_xml_without_notes() -> None:
    before = KEPT[: KEPT.index("  <actions>")] + KEPT[KEPT.index("  <description>") :]

    assert job_xml.remove_notes(before) == job_xml.remove_notes(KEPT)
