"""Edits in the web interface: exports as Jenkins writes them, before and after, beside what the code says."""

import pytest

from bootstrap.jenkins.controller import edits
from bootstrap.values import ChangeKind
from tests.unit.jenkins.controller.exports import CODE, EXPORT, VALUES, find

OVERWRITTEN, LEFT = True, False
# What was edited: text in the export, its replacement, the setting's name, how it is told, and what a reload does to it.
CASES = {
    "a text": (
        "systemMessage: Kept as code, at https://ci/",
        "systemMessage: hello",
        "jenkins.systemMessage",
        "was Kept as code, at https://ci/, is hello; a reload overwrites it",
        OVERWRITTEN,
    ),
    "a number that a variable gives": (
        "numExecutors: 2",
        "numExecutors: 7",
        "jenkins.numExecutors",
        "was 2, is 7; a reload overwrites it",
        OVERWRITTEN,
    ),
    "what the code does not say": (
        "quietPeriod: 5",
        "quietPeriod: 9",
        "jenkins.quietPeriod",
        "was 5, is 9; a reload keeps it",
        LEFT,
    ),
    "what the code does not say, beside what it says": (
        "charset: UTF-8",
        "charset: ASCII",
        "unclassified.mailer.charset",
        "was UTF-8, is ASCII; a reload keeps it",
        LEFT,
    ),
    "a singleton that the code does not name": (
        "adminAddress: a@b",
        "adminAddress: c@d",
        "unclassified.location.adminAddress",
        "was a@b, is c@d; a reload keeps it",
        LEFT,
    ),
    "a default inside what is made anew": (
        "enableCaptcha: false",
        "enableCaptcha: true",
        "jenkins.securityRealm.local.enableCaptcha",
        "was false, is true; a reload overwrites it",
        OVERWRITTEN,
    ),
    "an entry more": (
        "  - list:\n      name: team\n",
        "  - list:\n      name: mine\n  - list:\n      name: team\n",
        "jenkins.views[list mine]",
        "was absent, is name: mine; a reload overwrites it",
        OVERWRITTEN,
    ),
    "an entry less": (
        "  - all:\n      name: all\n",
        "",
        "jenkins.views[all all]",
        "was name: all, is absent; a reload overwrites it",
        OVERWRITTEN,
    ),
    "an attribute of an entry": (
        "includeRegex: team-.*",
        "includeRegex: .*",
        "jenkins.views[list team].includeRegex",
        "was team-.*, is .*; a reload overwrites it",
        OVERWRITTEN,
    ),
    "values in another order": (
        "      - status\n      - weather\n",
        "      - weather\n      - status\n",
        "jenkins.views[list team].columns",
        "was - status, - weather, is - weather, - status; a reload overwrites it",
        OVERWRITTEN,
    ),
    "a right more": (
        "          - Overall/Administer\n",
        "          - Overall/Administer\n      - group:\n          name: all\n          permissions: [Overall/Read]\n",
        "jenkins.authorizationStrategy.globalMatrix.entries[group all]",
        "was absent, is name: all, permissions:, - Overall/Read; a reload overwrites it",
        OVERWRITTEN,
    ),
    "deep inside an entry": (
        "numToKeepStr: '200'",
        "numToKeepStr: '3'",
        "unclassified.buildDiscarders.configuredBuildDiscarders[simpleBuildDiscarder].discarder.logRotator.numToKeepStr",
        "was 200, is 3; a reload overwrites it",
        OVERWRITTEN,
    ),
    "an account that the code does not name": (
        "      - id: admin\n",
        "      - id: admin\n      - id: guest\n",
        "jenkins.securityRealm.local.users[guest]",
        "was absent, is id: guest; a reload keeps it",
        LEFT,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_edit_has_its_setting_and_the_effect_of_a_reload(case: str) -> None:
    old, new, name, told, is_overwritten = CASES[case]
    # With a system property of the plugin's, accounts are exported too.
    before = EXPORT.replace("enableCaptcha: false\n", "enableCaptcha: false\n      users:\n      - id: admin\n")
    assert old in before

    (found,) = find(before, before.replace(old, new))

    assert (name, told, is_overwritten) == (found.name, found.summary, found.is_overwritten)


def test_an_export_has_no_edits_against_itself() -> None:
    assert () == find(EXPORT, EXPORT)


def test_another_implementation_is_an_edit_of_both_implementations() -> None:
    found = find(EXPORT, EXPORT.replace("    local:\n", "    ldap:\n"))

    assert ["jenkins.securityRealm.ldap", "jenkins.securityRealm.local"] == [edit.name for edit in found]
    assert [ChangeKind.REMOVE, ChangeKind.ADD] == [edit.change.kind for edit in found]
    assert found[0].change.detail.endswith(", the code does not name it")
    assert found[1].change.detail.startswith("edited in Jenkins: is absent, the code says allowsSignup: false")


def test_a_setting_with_the_value_of_the_code_is_no_edit() -> None:
    before = EXPORT.replace("numExecutors: 2", "numExecutors: 4")

    assert () == find(before, EXPORT)


def test_secrets_are_masked_and_their_edits_are_not_found() -> None:
    plain = EXPORT.replace("'{AQAABAAA}'", "hunter2")

    assert () == find(EXPORT, plain)
    (found,) = find(EXPORT.replace("    smtpPassword: '{AQAABAAA}'\n", ""), plain)
    assert "hunter2" not in f"{found.summary}{found.diff}{found.change}"
    assert "***" in found.summary


def test_variables_of_the_code_are_replaced_and_secrets_are_not() -> None:
    desired = edits.merge_files(CODE.values(), VALUES)

    assert "Kept as code, at https://ci/" == desired["jenkins"]["systemMessage"]
    assert edits.MASK == desired["jenkins"]["securityRealm"]["local"]["users"][0]["password"]
    assert "x-anchors" not in desired


def test_an_implementation_without_attributes_equals_its_name() -> None:
    (found,) = find(
        EXPORT, EXPORT.replace("  mode: NORMAL\n", "  mode: NORMAL\n  projectNamingStrategy:\n    standard: {}\n")
    )

    assert "was absent, is standard; a reload keeps it" == found.summary


def test_a_text_that_is_no_mapping_has_no_settings() -> None:
    assert ({}, {}) == (edits.parse_settings("a: [b"), edits.parse_settings("- a"))
