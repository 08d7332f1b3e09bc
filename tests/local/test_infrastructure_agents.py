"""The toolkit's own jobs move to agents of their own, and back; builds of other agents reach nothing of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from agent_builds import Fleet, launch_groups, on_instance
from trial import Launched

ALONE = """
agents:
  infrastructure:
    spare: 1
  linux:
    maximum: 1
"""
ON_OWN_AGENT = r"Running on infrastructure (i-[0-9a-f]+) "
# 22 and Jenkins' own port at the controller, and sshd of the agent with the role.
REACHES = """node('linux') { sh '''set +ex
for place in PLACES; do
    timeout 3 bash -c "exec 3<>/dev/tcp/${place%:*}/${place#*:}" 2>/dev/null && echo "got: $place"
done
timeout 3 bash -c 'exec 3<>/dev/tcp/CONTROLLER/443' && echo reached
env | grep -E '^(AWS_|BOOTSTRAP_CONTROLLER)' | sed 's/^/got: /'
cat /etc/ssh/controller_key >/dev/null 2>&1 && echo 'got: the key'
true''' }"""


@pytest.fixture(scope="module")
def moved(launched: Launched) -> Iterator[Fleet]:
    """The environment with a group for the toolkit's own jobs; without it in the end."""
    with launch_groups(launched, ALONE) as made:
        yield made


@pytest.mark.parametrize("job", ["canary", "seed", "verify", "drift"])
def test_a_job_of_the_toolkit_succeeds_on_an_agent_of_its_own(moved: Fleet, job: str) -> None:
    printed = moved.launched.done("build", job)

    assert re.search(ON_OWN_AGENT, printed), printed
    assert "Running on machine" not in printed


def test_the_machine_of_the_controller_runs_no_job_of_the_toolkit(moved: Fleet) -> None:
    script = (
        "systemctl list-unit-files jenkins-agent.service --no-legend; ls /etc/jenkins/agent.secret 2>/dev/null; true"
    )

    assert "" == moved.launched.context.shell.run(["sh", "-c", script], sudo=True).stdout
    assert "nothing to do" in moved.launched.done("plan")


def test_the_key_of_the_jobs_opens_one_program_and_belongs_to_them_alone(moved: Fleet) -> None:
    instance = next(iter(moved.list_nodes("infrastructure")))

    assert ["600", "jenkins"] == on_instance(instance, "stat", "-c", "%a %U", "/etc/ssh/controller_key").split()
    login = ["runuser", "-u", "jenkins", "--", "sh", "-c", "cd; ssh controller id; echo $?; ssh controller; echo $?"]
    assert "uid=" not in (printed := on_instance(instance, *login)) and ["1", "1"] == printed.split()


def test_builds_of_other_agents_reach_nothing_of_it(moved: Fleet) -> None:
    controller = moved.launched.context.machine.address
    instances = {it["InstanceId"] for it in (moved.describe("infrastructure") or {})["Instances"]}
    reservations = moved.launched.context.world.aws("ec2").describe_instances(InstanceIds=[*instances])["Reservations"]
    agents = [it["PrivateIpAddress"] for found in reservations for it in found["Instances"]]
    closed = [*(f"{controller}:{port}" for port in (22, 8080)), *(f"{address}:22" for address in agents)]
    assert agents

    console = moved.run(REACHES.replace("PLACES", " ".join(closed)).replace("CONTROLLER", str(controller)))

    assert [] == re.findall(r"(?m)^got: .*", console)
    assert "\nreached\n" in console


def test_without_the_group_the_jobs_are_on_the_machine_again(moved: Fleet) -> None:
    launched = moved.launched
    moved.clean()
    launched.environment_file.write_text(launched.environment_file.read_text().replace(ALONE, ""))

    launched.done("launch")
    launched.reopen()

    assert "Running on machine" in launched.done("build", "canary")
    assert "nothing to do" in launched.done("plan")
