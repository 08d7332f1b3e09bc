"""Edits in the web interface as they are shown and restored: diffs, masked secrets, variables, kept accounts."""

import pytest

from bootstrap.jenkins.controller import edits
from bootstrap.jenkins.controller.edits import ABSENT
from tests.unit.jenkins.controller.exports import EXPORT, find


def test_the_diff_goes_from_the_actual_setting_to_the_code() -> None:
    now = EXPORT.replace(
        "      columns:\n      - status\n      - weather\n", "      columns:\n      - status\n      - mine\n"
    )

    (found,) = find(EXPORT, now)

    assert [
        "--- actual/jenkins.views[list team].columns",
        "+++ code/jenkins.views[list team].columns",
        "@@ -1,2 +1,2 @@",
        " - status",
        "-- mine",
        "+- weather",
    ] == found.change.diff.splitlines()


def test_the_diff_of_a_kept_edit_shows_the_edit() -> None:
    (found,) = find(EXPORT, EXPORT.replace("quietPeriod: 5", "quietPeriod: 9"))

    assert ["--- reloaded/jenkins.quietPeriod", "+++ actual/jenkins.quietPeriod"] == found.diff.splitlines()[:2]
    assert ["-5", "+9"] == found.diff.splitlines()[-2:]


def test_a_setting_is_formatted_with_sorted_keys_and_one_value_per_line() -> None:
    found = edits.format_setting(edits.parse_settings("b:\n- {y: 1, x: true}\na: {d: [], c: null}\n"))

    assert ["a:", "  c:", "  d:", "b:", "  - x: true", "    y: 1"] == found.splitlines()
    assert "" == edits.format_setting(ABSENT)


def test_an_export_with_restored_edits_equals_the_one_before() -> None:
    before = "jenkins: {mode: NORMAL}\nunclassified: {shell: {shell: /bin/sh}}\n"
    now = "jenkins: {mode: EXCLUSIVE, labelString: x}\nunclassified: {shell: {shell: /bin/dash}, cloud: {of: x}}\n"
    left = [it for it in edits.find_edits(before, now, {"jenkins": {"mode": "EXCLUSIVE"}}) if not it.is_overwritten]
    assert ["jenkins.labelString", "unclassified.cloud", "unclassified.shell.shell"] == [it.name for it in left]

    kept = edits.restore_kept_edits(now, left, before)

    assert {"jenkins": {"mode": "EXCLUSIVE"}, "unclassified": {"shell": {"shell": "/bin/sh"}}} == edits.parse_settings(
        kept
    )


@pytest.mark.parametrize("edited", [("admin", "intruder"), ("admin", "guest")])
def test_kept_accounts_are_restored_from_the_export_before(edited: tuple[str, ...]) -> None:
    def document(*users: str, of: str) -> str:
        entries = "".join(f"        - {{id: {user}, name: {user} {of}}}\n" for user in users)
        return f"jenkins:\n  securityRealm:\n    local:\n      users:\n        - {{id: it, name: It}}\n{entries}"

    users = [user for user in edited if user != "intruder"]
    before, now = document(*users, of="once"), document(*edited, of="now")
    code = {"jenkins": {"securityRealm": {"local": {"users": [{"id": "it"}]}}}}
    left = [it for it in edits.find_edits(before, now, code) if not it.is_overwritten]
    assert len(left) == len(edited)

    assert edits.parse_settings(before) == edits.parse_settings(edits.restore_kept_edits(now, left, before))


def test_an_export_without_kept_edits_is_unchanged() -> None:
    assert EXPORT == edits.restore_kept_edits(EXPORT, [], "")
