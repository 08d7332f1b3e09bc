"""Drift of jobs and plugins."""

import pytest

from bootstrap.values import JobSet
from bootstrap.views.drift import jobs

FOOTER = f"x [render {'a' * 16}]"
OURS = (
    f"<project><description>{FOOTER}</description><disabled>false</disabled>"
    "<builders><hudson.tasks.Shell><command>make</command></hudson.tasks.Shell></builders><triggers/></project>"
)


def served(jenkins_server, xml: str = OURS, *others: dict[str, object], **job: object) -> list[tuple[str, str, str]]:
    ours = {"fullName": "ours", "description": FOOTER, "color": "blue"} | job
    listed = [ours, *others] if job.get("fullName") != "" else list(others)
    jenkins_server.on("GET", "api/json", {"jobs": listed})
    jenkins_server.on("GET", "job/ours/config.xml", xml)
    found = jobs.find_job_drift(jenkins_server.client, JobSet({"ours": OURS}), "TOOL")
    return [(it.name, it.found, it.remedy) for it in found]


def test_a_job_as_published_has_no_line_whatever_jenkins_adds(jenkins_server) -> None:
    xml = OURS.replace("<disabled>", "<keepDependencies>false</keepDependencies><disabled>").replace(
        "<triggers/>", "<triggers class='vector'/>"
    )

    assert [] == served(jenkins_server, f"<?xml version='1.1' encoding='UTF-8'?>\n{xml}")


EDITS = {
    "a text": ("make", "make all", "Shell command: expected 'make', actual 'make all'"),
    "an entry more": ("<triggers/>", "<triggers><T/></triggers>", "triggers T: added"),
    "an entry less": (
        "<hudson.tasks.Shell><command>make</command></hudson.tasks.Shell>",
        "",
        "builders Shell: removed",
    ),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_is_told_with_the_command_that_undoes_it(case: str, jenkins_server) -> None:
    old, new, told = EDITS[case]

    found = served(jenkins_server, OURS.replace(old, new))

    assert [("ours", f"edited in Jenkins: {told}", "TOOL jobs apply --again ours")] == found


def test_a_disabled_job_is_told_once(jenkins_server) -> None:
    found = served(jenkins_server, OURS.replace(">false<", ">true<"), color="disabled")

    assert [("ours", "disabled in Jenkins", "TOOL jobs apply")] == found


def test_a_job_whose_render_is_another_is_the_plans_to_tell(jenkins_server) -> None:
    assert [] == served(jenkins_server, "<project/>", description=f"x [render {'b' * 16}]")


def test_a_job_without_its_footer_is_told(jenkins_server) -> None:
    found = served(jenkins_server, description="mine")

    assert [("ours", "its description was edited: the render mark is missing", "TOOL jobs apply")] == found


def test_a_removed_job_and_one_that_is_not_ours_are_told(jenkins_server) -> None:
    hand = {"fullName": "byhand", "description": None, "color": "blue"}

    found = served(jenkins_server, OURS, hand, fullName="")

    assert [
        ("ours", "is missing: deleted in Jenkins, or not published yet", "TOOL jobs apply"),
        ("byhand", "not in the code: created in Jenkins", "add it to jobs/, or delete it in Jenkins"),
    ] == found


def test_plugins_are_held_against_the_lock(jenkins_server) -> None:
    listed = [{"shortName": name, "version": "1"} for name in ("git", "mailer", "extra")]
    jenkins_server.on("GET", "pluginManager/api/json", {"plugins": listed})

    found = jobs.find_plugin_drift(jenkins_server.client, {"git": "1", "mailer": "2", "matrix": "3"}, "TOOL")

    assert [
        ("extra", "1 is not in the lock"),
        ("mailer", "1 is installed, the lock has 2"),
        ("matrix", "3 is missing"),
    ] == [(it.name, it.found) for it in found]
