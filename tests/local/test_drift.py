"""What somebody changes by hand, everywhere at once, is listed with its remedy; the remedies undo all of it."""

import json
import re
import shlex
import subprocess
from typing import Any

import pytest
from trial import Launched

Line = dict[str, str]
OPENED = {"IpProtocol": "tcp", "FromPort": 9999, "ToPort": 9999, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
# No file of the code has it: a body that repeats a setting of the files is refused as a conflict.
UNNAMED = "unclassified:\n  pollSCM:\n    pollingThreadCount: 7\n"
UNNAMED_NAME = re.compile(
    r"unclassified\.pollSCM(\.pollingThreadCount)?"
)  # the longer one where Jenkins exports defaults
# As an edit in the web interface leaves it: the setting is another one, and the files are those of the code.
EDIT = "cp -a {0} /root/kept && sed -i 's/systemMessage: .*/systemMessage: edited by hand/' {0}"
PUT_BACK = "cp -a /root/kept {0} && rm /root/kept"
FILE = "/etc/jenkins/casc.d/controller.yaml"
STRANGER = """<project><builders/><publishers/><buildWrappers/></project>"""


def drifted(launched: Launched) -> tuple[int, list[Line]]:
    """The exit code and the lines of `drift`."""
    found = launched.run("--json", "drift")
    told = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    event = next((it for it in told if it["event"] == "drift"), None)
    assert event is not None, found.stdout + found.stderr
    assert [] == event["unseen"]
    return found.returncode, event["lines"]


def plant(launched: Launched) -> None:
    """One edit by hand of each kind."""
    context = launched.context
    group = context.outputs("network")["ControllerSecurityGroupId"]
    context.world.aws("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[OPENED])
    script = """
    set -eu
    echo '# by hand' >> /etc/nftables.conf
    systemctl disable --now inspect-machine.socket
    sed -i '0,/"git": "[^"]*"/s//"git": "1.0"/' /etc/jenkins/plugins.json
    systemctl restart jenkins
    """
    context.shell.run(["sh", "-c", script], sudo=True)
    jenkins = context.jenkins
    xml = jenkins.get_job_config("canary")
    jenkins.reconfig_job("canary", xml.replace("canary.Jenkinsfile", "other.Jenkinsfile"))
    jenkins.create_job("stranger", STRANGER)
    jenkins.delete_job("network")
    context.shell.run(["sh", "-c", EDIT.format(FILE)], sudo=True)
    launched.edit_settings(UNNAMED)
    context.shell.run(["sh", "-c", PUT_BACK.format(FILE)], sudo=True)


def carry_out(launched: Launched, remedy: str) -> None:
    """The command that a line of drift names, as a person would give it."""
    if remedy.startswith("./bootstrap.py"):
        done = subprocess.run(remedy, shell=True, cwd=launched.checkout, capture_output=True, text=True, timeout=900)  # noqa: S602
        assert 0 == done.returncode, f"{remedy}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return
    words = shlex.split(remedy)
    assert "aws" == words[0], remedy
    assert ["ec2", "revoke-security-group-ingress"] == words[3:5], remedy
    options = dict(zip(words[5::2], words[6::2], strict=True))
    ec2: Any = launched.context.world.aws("ec2")
    ec2.revoke_security_group_ingress(
        GroupId=options["--group-id"], SecurityGroupRuleIds=[options["--security-group-rule-ids"]]
    )


@pytest.fixture(scope="module")
def lines(launched: Launched) -> list[Line]:
    assert (0, []) == drifted(launched)
    plant(launched)
    code, found = drifted(launched)
    assert 2 == code
    return found


def named(lines: list[Line], where: str) -> dict[str, Line]:
    return {line["name"]: line for line in lines if line["where"] == where}


def test_code_that_moved_on_since_the_launch_is_no_drift(launched: Launched) -> None:
    wish = launched.checkout / "bootstrap/remote/files/journald.conf"
    was = wish.read_text()
    wish.write_text(f"{was}# another wish\n")
    try:
        found = launched.run("drift")
    finally:
        wish.write_text(was)
    assert 0 == found.returncode, found.stdout + found.stderr
    told = " ".join(found.stdout.split())
    assert "pending changes of the code since the last launch" in told
    assert "journal settings, systemd-journald.service" in told


def test_each_edit_is_told_with_its_command(launched: Launched, lines: list[Line]) -> None:
    group = launched.context.outputs("network")["ControllerSecurityGroupId"]
    assert "9999" in named(lines, "security group")[group]["found"]
    assert {"firewall rules", "plugins lock"} <= named(lines, "machine").keys()
    assert any("inspect-machine.socket" in name for name in named(lines, "machine"))
    assert "1.0 is installed" in named(lines, "plugins")["git"]["found"]
    jobs = named(lines, "jobs")
    assert {"canary", "stranger", "network"} == jobs.keys()
    assert "edited in Jenkins" in jobs["canary"]["found"]
    assert "created in Jenkins" in jobs["stranger"]["found"]
    assert "is missing" in jobs["network"]["found"]
    assert all(line["remedy"] for line in lines)


def test_each_edited_setting_tells_what_a_reload_makes_of_it(lines: list[Line]) -> None:
    settings = named(lines, "casc")

    assert "a reload overwrites it" in settings["jenkins.systemMessage"]["found"]
    (kept,) = [line["found"] for name, line in settings.items() if UNNAMED_NAME.fullmatch(name)]
    assert "a reload keeps it" in kept


def test_the_table_shows_every_line(launched: Launched, lines: list[Line]) -> None:
    shown = launched.run("drift").stdout

    assert f"{len(lines)} differences" in shown
    assert [] == [line["name"] for line in lines if line["name"] not in shown or line["remedy"] not in shown]


def test_the_commands_that_are_named_mend_everything_that_a_command_can(launched: Launched, lines: list[Line]) -> None:
    by_hand = [line for line in lines if line["remedy"].startswith("add it")]
    for remedy in dict.fromkeys(line["remedy"] for line in lines if line not in by_hand):
        carry_out(launched, remedy)
    launched.context.jenkins.delete_job("stranger")

    _, left = drifted(launched)
    # What the code does not name stays in Jenkins after a reload, as its line said.
    (kept,) = [line["name"] for line in left]
    assert UNNAMED_NAME.fullmatch(kept)
    assert {kept, "stranger"} == {line["name"] for line in by_hand}
    assert "nothing had to change" in launched.done("launch", "--skip-verify")
