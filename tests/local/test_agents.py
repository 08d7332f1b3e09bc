"""Groups of agents come into a launched environment: builds run there, also hostile ones; groups are edited, and go again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from agent_attacks import ATTACK, OUTBREAK, is_denied, list_metadata_services, make_client, read_addresses, take_role
from agent_builds import GROUPS, ON_AGENT, UNGUARDED, Fleet, list_containers, on_instance
from launching import ROOT
from trial import NAME, Launched

from bootstrap.jenkins.controller.api import ask

NETWORKS = ("pasta", "host")
TWO = """
def where = [:]
def work(name, where) {
    node {
        where[name] = env.NODE_NAME
        sh "echo '${name} on the agent' > ${name}.txt"
        stash name: name, includes: "${name}.txt"
        waitUntil(quiet: true) { where.size() == 2 }
    }
}
parallel first: { work('first', where) }, second: { work('second', where) }
assert where.first != where.second
node(where.first) { unstash 'second'; sh 'cat second.txt' }
node(where.second) { unstash 'first'; sh 'cat first.txt' }
"""


@pytest.fixture(scope="module")
def first(fleet: Fleet) -> str:
    """The console of a build of two halves at the same time, each on an agent of its own."""
    return fleet.run(TWO)


def test_builds_without_a_label_run_on_agents_at_the_same_time(first: str) -> None:
    assert 2 == len({*re.findall(ON_AGENT, first)}), first


def test_files_go_from_agent_to_agent(first: str) -> None:
    for name in ("first", "second"):
        assert f"\n{name} on the agent\n" in first


@pytest.fixture(scope="module")
def attack(fleet: Fleet) -> str:
    """What a hostile build on an agent prints: lines with 'got: ' are its successes. The agent takes no other build."""
    context = fleet.launched.context
    routers = list_metadata_services(fleet)
    closed = ["169.254.169.254:80", "[fd00:ec2::254]:80", *routers]
    controller = context.machine.address
    closed += [f"{controller}:{each}" for each in (22, 80, 8080, 50000)]
    others = {it["address"] for it in read_addresses(fleet)} - {controller}
    closed += [f"{address}:{each}" for address in others for each in (22, 80, 443)]
    assert routers and f"{controller}:443" not in closed
    script = ATTACK.replace("CLOSED", " ".join(closed)).replace("OPEN", f"{controller}:443")
    assert "'''" not in script
    return fleet.run(f"node('once') {{ sh '''{script}''' }}".replace("\\", "\\\\"))


def test_a_hostile_build_gets_nothing_on_its_agent(attack: str) -> None:
    """Neither as itself nor as root of a namespace of its own; and it reaches no other machine than the controller's proxy."""
    assert [] == re.findall(r"(?m)^got: .*", attack)
    assert ["jenkins jenkins"] == re.findall(r"(?m)^who: (.*)", attack)
    # Else nothing was tried.
    assert 1 == len(re.findall(r"(?m)^reached: .*:443$", attack)) and "\nplanted: yes" in attack
    assert "\nnamespace: yes" in attack


def test_what_a_build_planted_meets_no_other_build_where_an_agent_has_one_use(fleet: Fleet, attack: str) -> None:
    script = "set +e; ls /tmp/planted ~/agent/planted /var/tmp/planted ~/.ssh/rc 2>/dev/null; pgrep -x sleep; env; true"
    console = fleet.run(f"node('once') {{ sh '''{script}''' }}")

    assert "planted" not in re.sub(r"(?m)^\+ .*", "", console)
    both = [re.findall(r"Running on once (i-\w+)", each)[0] for each in (attack, console)]
    assert both[0] != both[1]


def read_documented_pipeline() -> str:
    """The Pipeline with which the documentation shows containers."""
    (script,) = re.findall(r"(?s)```groovy\n(pipeline .*?)```", (ROOT / "docs" / "agents.md").read_text())
    return str(script)


@pytest.fixture(scope="module")
def container(fleet: Fleet) -> str:
    """The console of the documented Pipeline, which makes an image and runs it."""
    return fleet.run(read_documented_pipeline())


def test_a_build_makes_an_image_and_runs_it(fleet: Fleet, container: str) -> None:
    assert "\nHello from a container, as user 0\n" in container, container
    (instance,) = re.findall(r"Running on boxes (i-\w+)", container)
    # Only an instance of such a group has further ids.
    assert ["0", "196608"] == on_instance(instance, "cat", "/proc/self/uid_map").split()[::2]
    other = fleet.launched.context.machine.instance_id
    assert ["0", "65536"] == on_instance(other, "cat", "/proc/self/uid_map").split()[::2]


def test_root_in_a_container_gets_nothing_of_its_host(fleet: Fleet, container: str) -> None:
    """Neither files nor the metadata service, by any network: it is the build's user outside, and reaches what that does."""
    closed, host = ["169.254.169.254:80", *list_metadata_services(fleet)], fleet.launched.context.machine.address
    script = (
        OUTBREAK.replace("CLOSED", " ".join(closed)).replace("HOST", str(host)).replace("NETWORKS", " ".join(NETWORKS))
    )

    console = fleet.run(f"node('boxes') {{ sh '''{script}''' }}".replace("\\", "\\\\"))

    assert [] == re.findall(r"(?m)^got: .*", console), console
    ways = {f"{network}-{user}" for network in NETWORKS for user in (0, 1234)}
    # Else nothing was tried.
    assert ways == {*re.findall(r"(?m)^reached: (.*)", console)} == {*re.findall(r"(?m)^read: (.*)", console)}, console
    assert re.search(r"(?m)^ids: 0 \d+ 1 1 100000 65536$", console), console


def test_the_role_of_an_agent_reads_its_host_key_and_nothing_else(fleet: Fleet, first: str) -> None:
    launched, context = fleet.launched, fleet.launched.context
    instance = fleet.find_instance()
    place = context.stacks["agents-linux"].parameters["MetadataUrl"]
    role = json.loads(on_instance(instance, "sh", "-c", take_role(place)))
    ssm = make_client("ssm", launched, role)
    own, other = context.outputs("agents-linux"), context.outputs("agents-once")

    assert not is_denied(ssm.get_parameter, Name=f"/ec2/keypair/{own['HostKeyPairId']}", WithDecryption=True)
    for pair in (own["ClientKeyPairId"], other["HostKeyPairId"], context.outputs("data")["KeyPairId"]):
        assert is_denied(ssm.get_parameter, Name=f"/ec2/keypair/{pair}", WithDecryption=True), pair
    secrets = make_client("secretsmanager", launched, role)
    assert is_denied(secrets.get_secret_value, SecretId=context.outputs("data")["AdminPasswordSecret"])
    assert is_denied(make_client("ec2", launched, role).describe_instances)
    scaling = make_client("autoscaling", launched, role)
    assert is_denied(scaling.update_auto_scaling_group, AutoScalingGroupName=own["AgentsGroup"], MaxSize=1)


@pytest.fixture
def foreign(fleet: Fleet) -> Iterator[str]:
    """The group of an environment whose names begin as those of this one's groups do."""
    scaling, own = fleet.launched.context.world.aws("autoscaling"), fleet.describe("linux")
    assert own is not None
    policy = own["MixedInstancesPolicy"]
    del policy["LaunchTemplate"]["LaunchTemplateSpecification"][
        "LaunchTemplateName"
    ]  # beside the id, a request is refused
    name = f"jenkins-{NAME}-agents-agents-linux"
    tags = {"Project": "jenkins", "Environment": f"{NAME}-agents"}
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=1,
        MixedInstancesPolicy=policy,
        VPCZoneIdentifier=own["VPCZoneIdentifier"],
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
    )
    yield name
    scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def test_the_controller_changes_the_groups_of_its_environment_alone(fleet: Fleet, first: str, foreign: str) -> None:
    launched, context = fleet.launched, fleet.launched.context
    place = context.shell.run(
        ["sh", "-c", ". /etc/bootstrap/aws.env; echo $AWS_EC2_METADATA_SERVICE_ENDPOINT"], sudo=True
    )
    script = take_role(place.stdout.strip().rstrip("/"))
    role = json.loads(context.shell.run(["sh", "-c", script], sudo=True).stdout)
    scaling, ec2 = make_client("autoscaling", launched, role), make_client("ec2", launched, role)
    own = context.outputs("agents-linux")["AgentsGroup"]
    instance = fleet.find_instance()
    mark = [{"Key": "ec2-fleet-plugin:cloud-name", "Value": "linux"}]

    assert not is_denied(scaling.update_auto_scaling_group, AutoScalingGroupName=own, MaxSize=3)
    assert is_denied(scaling.update_auto_scaling_group, AutoScalingGroupName=foreign, MaxSize=0)
    assert is_denied(scaling.delete_auto_scaling_group, AutoScalingGroupName=own, ForceDelete=True)
    assert not is_denied(ec2.create_tags, Resources=[instance], Tags=mark)
    assert is_denied(ec2.create_tags, Resources=[instance], Tags=[{"Key": "Environment", "Value": "other"}])
    assert is_denied(ec2.create_tags, Resources=[instance], Tags=[*mark, {"Key": "Name", "Value": "x"}])
    assert is_denied(ec2.create_tags, Resources=[context.machine.instance_id], Tags=mark)
    assert is_denied(ec2.terminate_instances, InstanceIds=[instance])


def test_the_key_of_the_login_is_in_no_place_where_others_read(fleet: Fleet, first: str) -> None:
    """Not in an argument, the journal, a file that others read, nor for the builds of the two agents of this machine."""
    context = fleet.launched.context
    pair = context.outputs("agents-linux")["ClientKeyPairId"]
    key = context.world.aws("ssm").get_parameter(Name=f"/ec2/keypair/{pair}", WithDecryption=True)["Parameter"]["Value"]
    line = key.splitlines()[2]
    assert len(line) > 40
    context.shell.run(["sh", "-c", "umask 077; cat > /root/pattern"], sudo=True, stdin=f"{line}\n".encode())
    looking = """cd /
    grep -rlFsf /root/pattern /etc /var /run /tmp /home /opt /srv /root --exclude=pattern --exclude-dir=cloud |
        while read -r path; do stat -c '%a %U %n' "$path"; done
    grep -lsFzf /root/pattern /proc/[0-9]*/cmdline | sed 's/^/argument /'
    journalctl --no-pager -o cat | grep -cFf /root/pattern | sed 's/^/journal /'; rm -f /root/pattern"""
    found = context.shell.run(["sh", "-c", looking], sudo=True).stdout.splitlines()

    assert "journal 0" in found and not [it for it in found if it.startswith("argument")]
    files = [it.split(maxsplit=2) for it in found if it[0].isdigit()]
    assert files, "else nothing was looked at"
    assert [] == [it for it in files if it[0][-1] != "0" or it[1] not in {"root", "jenkins"}]
    for label in ("infrastructure", "builder"):
        script = "".join(f"cat {path} >/dev/null 2>&1 && echo got: {path}\n" for _, _, path in files)
        assert "\ngot: " not in fleet.run(f"node('{label}') {{ sh '''set +x\n{script}true''' }}")


def drift(launched: Launched) -> dict[str, str]:
    """The names of the lines of `drift`, each with what was found and its remedy."""
    done = launched.run("--json", "drift")
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    event = next(it for it in told if it["event"] == "drift")
    return {line["name"]: f"{line['found']} | {line['remedy']}" for line in event["lines"]}


EDITED = """jenkins:
  clouds: []
"""


def test_what_somebody_edits_is_told_and_mended(fleet: Fleet) -> None:
    """A group is deleted, the sizes of another one and the clouds of Jenkins are edited."""
    launched, context = fleet.launched, fleet.launched.context
    scaling = context.world.aws("autoscaling")
    outputs = {label: context.outputs(f"agents-{label}")["AgentsGroup"] for label in ("linux", "once")}
    scaling.delete_auto_scaling_group(AutoScalingGroupName=outputs["once"], ForceDelete=True)
    # Jenkins starts without the group, and where AWS does not answer: its clouds are in its own configuration.
    place = "/run/systemd/system/jenkins.service.d"
    begin = f"""mkdir -p {place}; echo AWS_ENDPOINT_URL=http://127.0.0.1:9/ > /run/dead.env
    printf '[Service]\\nEnvironmentFile=/run/dead.env\\n' > {place}/dead.conf"""
    for script in (begin, f"rm {place}/dead.conf /run/dead.env"):
        again = f"set -e; {script}; systemctl daemon-reload; systemctl restart jenkins.service"
        context.shell.run(["sh", "-c", again], sudo=True)
        assert 200 == ask(context.jenkins, "GET", "api/json").status_code
    launched.edit_settings(EDITED)
    # Only now: as long as Jenkins has the cloud, it sets the sizes whenever an agent comes or goes.
    scaling.update_auto_scaling_group(AutoScalingGroupName=outputs["linux"], MaxSize=9)

    found, status, planned = drift(launched), launched.run("status").stdout, launched.run("plan").stdout

    assert {f"{outputs['linux']}/Group", f"{outputs['once']}/Group"} <= found.keys(), found
    assert all(found[f"{name}/Group"].endswith(" launch") for name in outputs.values())
    assert "expected 3, actual 9" in found[f"{outputs['linux']}/Group"]
    assert {"cloud linux", "cloud once"} <= {name for name in found if name.startswith("cloud")}, found
    assert "the Auto Scaling group does not exist" in status
    assert "MaxSize is 9, wished 3" in planned and "is gone" in planned

    launched.done("launch", "--skip-verify")
    launched.reopen()

    fleet.clean()
    assert {} == drift(launched)
    assert "nothing had to change" in launched.done("launch", "--skip-verify")
    assert "Running on once i-" in fleet.run("node('once') { sh 'true' }")


def test_groups_that_leave_the_file_go_in_one_launch(fleet: Fleet) -> None:
    """With an agent that works, and with its instance."""
    launched = fleet.launched
    busy = fleet.start(UNGUARDED)
    fleet.await_line(busy, "\nrun-began")
    instances = {it["InstanceId"] for it in (fleet.describe("linux") or {})["Instances"]}
    assert instances == list_containers(instances)
    text = launched.environment_file.read_text()
    launched.environment_file.write_text(text.replace(GROUPS, ""))

    launched.done("launch", "--skip-verify")
    launched.reopen()

    assert (None, None) == (fleet.describe("linux"), fleet.describe("once"))
    assert {} == fleet.list_nodes("linux") | fleet.list_nodes("once")
    assert set() == list_containers(instances)
    assert not [name for name in launched.context.stacks if name.startswith("agents-")]
    assert "eC2Fleet" not in ask(launched.context.jenkins, "POST", "configuration-as-code/export").text
    fleet.clean()  # with the build, which waits for its agent
    assert {} == drift(launched)
    assert "nothing to do" in launched.done("plan")
