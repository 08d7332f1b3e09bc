"""Builds on the instances of an Auto Scaling group: they come by the queue, work over SSH, and go."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import yaml

from tests.contract.cloud_agents import GROUP
from tests.contract.cloud_trials import FLEET, Trial
from tests.unit.remote import sshd as ssh

pytestmark = pytest.mark.own_process


STEPS = """
stage('build') { node('linux') {
    git url: 'REPOSITORY', branch: 'main'
    sh 'cat file.txt; echo node=$NODE_NAME home=$JENKINS_HOME labels=$NODE_LABELS; mkdir -p out; echo data > out/a.txt'
    writeFile file: 'out/b.xml', text: '<testsuite><testcase name="t" classname="c"/></testsuite>'
    withCredentials([string(credentialsId: 'token', variable: 'TOKEN')]) { sh 'echo "secret: $TOKEN"' }
    dir('out') { archiveArtifacts artifacts: 'a.txt'; junit 'b.xml' }
    stash name: 's', includes: 'out/**'
    deleteDir()
    echo "status ${sh(script: 'exit 3', returnStatus: true)}"
    echo "word ${sh(script: 'echo out; echo error >&2', returnStdout: true).trim()}"
} }
parallel(one: { node('linux') { unstash 's'; sh 'cat out/a.txt; while [ ! -e FOLDER/two ]; do sleep 0.1; done' } },
         two: { node('linux') { unstash 's'; sh 'touch FOLDER/two' } })
node { unstash 's'; sh 'echo built-in:; cat out/a.txt' }
"""


def test_a_pipeline_works_on_agents_that_come_for_it(
    trial: Trial, pipeline: Callable[[str], str], repository: Callable[..., str]
) -> None:
    url, folder = repository({"file.txt": "content\n"}), str(trial.cloud.folder.parent)
    trial.server.create("", "p", pipeline(STEPS.replace("REPOSITORY", url).replace("FOLDER", folder)))

    build, console = trial.server.run("p")

    assert "SUCCESS" == build["result"], console
    first, second = trial.cloud.members
    assert (
        f"Running on linux {first} in {trial.cloud.folder}/workspace/p" in console
        or f"Running on linux {second}" in console
    )
    assert "\ncontent\n" in console and f"home={trial.service.home} labels=i-" in console
    assert "secret: ****" in console and "status 3\n" in console and "word out\n" in console and "built-in:" in console
    assert "data\n" == trial.server.get("job/p/1/artifact/a.txt").text
    assert 1 == trial.server.get("job/p/1/testReport/api/json").json()["passCount"]
    tags = trial.cloud.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["ec2-fleet-plugin:cloud-name"]}])["Tags"]
    assert {"linux"} == {tag["Value"] for tag in tags} and {first, second} == {tag["ResourceId"] for tag in tags}
    nodes = trial.nodes()
    assert {f"linux {first}", f"linux {second}"} == nodes.keys()
    assert all(not node["offline"] and not node["jnlpAgent"] and node["launchSupported"] for node in nodes.values())
    text = trial.log(first)
    assert "[SSH] Authentication successful." in text and "Agent successfully connected and online" in text
    label = trial.server.get("label/linux/api/json").json()
    assert [f"{FLEET}EC2FleetCloud"] == [each["_class"] for each in label["clouds"]] and 2 == label["totalExecutors"]


def test_a_freestyle_job_takes_the_only_use_of_an_agent(trial: Trial, freestyle: Callable[..., str]) -> None:
    trial.apply(maxTotalUses=1)
    xml = freestyle("echo on=$NODE_NAME").replace("<properties>", "<assignedNode>linux</assignedNode><properties>")
    trial.server.create("", "f", xml)

    build, console = trial.server.run("f")
    (first,) = {line.removeprefix("on=") for line in console.splitlines() if line.startswith("on=")}
    trial.server.until(lambda: not trial.cloud.members and not trial.nodes())

    assert "SUCCESS" == build["result"] and f"Building remotely on linux {first} in workspace" in console
    assert 0 == trial.cloud.desired
    _, again = trial.server.run("f")
    assert first not in again


def test_another_host_key_leaves_the_build_in_the_queue(trial: Trial, pipeline: Callable[[str], str]) -> None:
    trial.apply(key=ssh.public_text(ssh.new_host_key()))
    trial.server.create("", "p", pipeline("node('linux') { echo 'never' }"))
    trial.server.begin("p")
    trial.server.until(lambda: trial.cloud.members)
    (instance,) = trial.cloud.members
    trial.server.until(lambda: "Launch failed" in trial.log(instance))

    assert "does not match the key required in the connection configuration" in trial.log(instance)
    (node,) = trial.nodes().values()
    assert node["offline"] and "OfflineCause$LaunchFailed" in node["offlineCause"]["_class"]
    (item,) = trial.server.client.get_queue_info()
    assert f"‘linux {instance}’ is offline" == item["why"]
    assert 200 == trial.apply().status_code  # the right key comes with the settings, for new nodes


def test_a_failed_constructor_refuses_the_settings_and_the_old_cloud_stays(trial: Trial) -> None:
    def export() -> str:
        return re.sub(r"\{AQAA[^}]*\}", "sealed", trial.server.post("configuration-as-code/export").text)

    before = export()

    answer = trial.apply(fleet="not-there", maxSize=1)

    assert 500 == answer.status_code and before == export()
    checked = trial.server.post("configuration-as-code/check", data=trial.cloud.render(fleet="not-there"))
    assert 400 == checked.status_code and "Failed to construct instance of class" in checked.text
    assert "not-there" not in checked.text.replace("/configuration-as-code", "")
    assert f'fleet: "{GROUP}"' in before and "manuallyProvidedKeyVerificationStrategy" in before
    trial.service.stop()
    cause = "java.lang.IllegalArgumentException: Cannot find auto scaling group with name not-there in region"
    assert cause in trial.service.said


def test_stored_clouds_are_loaded_without_aws_and_boot_files_are_not(
    trial: Trial, pipeline: Callable[[str], str]
) -> None:
    trial.service.stop()
    endpoint = trial.service.variables["AWS_ENDPOINT_URL"]
    trial.service.variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    trial.start()
    assert GROUP in trial.server.post("configuration-as-code/export").text
    time.sleep(8)  # the attempts of the library
    trial.service.stop()
    assert (
        "Error during fleet 'linux' stats update" in trial.service.said and "Connection refused" in trial.service.said
    )

    trial.service.variables["AWS_ENDPOINT_URL"] = endpoint
    trial.start()
    trial.server.create("", "p", pipeline("node('linux') { echo 'runs' }"))
    assert "SUCCESS" == trial.server.run("p")[0]["result"]
    trial.service.stop()

    (trial.service.casc / "40-clouds.yaml").write_text(trial.cloud.render(fleet="not-there"))
    with pytest.raises(RuntimeError, match=r"exit 5: (?s:.)*Cannot find auto scaling group with name not-there"):
        trial.service.start()


def test_nodes_are_marked_disconnected_and_deleted(trial: Trial, pipeline: Callable[[str], str]) -> None:
    trial.apply(minSize=1)
    trial.server.until(lambda: [node for node in trial.nodes().values() if not node["offline"]])
    (instance,) = trial.cloud.members
    place = f"computer/{instance}"

    trial.server.post(f"{place}/toggleOffline", data={"offlineMessage": "care"})
    assert trial.server.get(f"{place}/api/json").json()["temporarilyOffline"]
    trial.server.post(f"{place}/toggleOffline")
    trial.server.post(f"{place}/doDisconnect", data={"offlineMessage": "away"})
    assert trial.server.get(f"{place}/api/json").json()["offline"]
    trial.server.post(f"{place}/launchSlaveAgent")
    trial.server.until(lambda: not trial.server.get(f"{place}/api/json").json()["offline"])
    assert 501 == trial.server.get(f"{place}/config.xml").status_code

    trial.apply(minSize=0)
    assert 302 == trial.server.post(f"{place}/doDelete").status_code
    trial.server.until(lambda: not trial.cloud.members)
    assert {} == trial.nodes() and 0 == trial.cloud.desired


def test_a_spare_agent_stands_by_for_work_with_and_without_a_label(
    trial: Trial, pipeline: Callable[[str], str]
) -> None:
    trial.apply(minSpareSize=1, restrictUsage=False)
    trial.server.until(lambda: [node for node in trial.nodes().values() if not node["offline"]])
    (first,) = trial.cloud.members
    settings = {"jenkins": {"mode": "EXCLUSIVE"}}
    assert 200 == trial.server.post("configuration-as-code/apply", data=yaml.safe_dump(settings)).status_code
    trial.server.create("", "p", pipeline("node { sh 'echo on=$NODE_NAME' }"))

    build, console = trial.server.run("p")

    assert "SUCCESS" == build["result"] and f"on={first}" in console
