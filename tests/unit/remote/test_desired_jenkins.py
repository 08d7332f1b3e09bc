"""Jenkins in the desired state: its unit, its sandbox, its files, and what restarts it."""

from typing import Any

import pytest
from wished import EMULATOR, SECRETS, SETTINGS, WAR, inputs

from bootstrap.environment.models import Settings
from bootstrap.remote.desired.inputs import Toolkit
from tests.unit.remote.desired_units import by_id, settings_of, unit

LANDLOCK = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("jenkins.service file", {"User": "jenkins", "ReadWritePaths": "/var/lib/jenkins", "Type": "notify"}),
        (
            "agent service file",
            {"User": "jenkins-agent", "ReadWritePaths": "/var/lib/jenkins-agent /var/cache/jenkins-agent"},
        ),
        (
            "builder service file",
            {"User": "jenkins-builder", "ReadWritePaths": "/var/lib/jenkins-builder /var/cache/jenkins-builder"},
        ),
    ],
)
def test_jenkins_and_its_builds_run_in_sandboxes(
    wished: dict[str, dict[str, Any]], name: str, own: dict[str, str]
) -> None:
    service = unit(wished, name)["Service"]
    yes = (
        "NoNewPrivileges",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectKernelTunables",
        "ProtectKernelModules",
    )
    yes += ("ProtectKernelLogs", "ProtectControlGroups", "RestrictNamespaces", "RestrictSUIDSGID", "LockPersonality")
    assert dict.fromkeys(yes, "yes") == {key: service[key] for key in yes}
    expected = {
        **own,
        "ProtectSystem": "strict",
        "ProtectProc": "invisible",
        "CapabilityBoundingSet": "",
        "SystemCallArchitectures": "native",
        "UMask": "0027",
    }
    assert expected == {key: service[key] for key in expected}
    # The calls of Landlock only confine: the emulator uses them, and an older systemd does not have them in the group.
    assert service["SystemCallFilter"].split() in (["@system-service"], ["@system-service", *LANDLOCK])


def test_credentials_reach_jenkins_through_systemd_alone(wished: dict[str, dict[str, Any]]) -> None:
    text = wished["jenkins.service file"]["content"]
    loaded = [line.partition("=")[2] for line in text.splitlines() if line.startswith("LoadCredential=")]
    assert [f"{name}:/etc/jenkins/credentials/{name}" for name in sorted(SECRETS)] == loaded
    assert "Environment=SECRETS=%d" in text.splitlines()
    for name in SECRETS:
        credential = wished[f"credential {name}"]
        assert ("root", "0400", True) == (credential["owner"], credential["mode"], credential["secret"])


def test_jenkins_listens_on_the_loopback_only() -> None:
    command = unit(by_id(inputs(software=WAR)))["Service"]["ExecStart"]
    assert "--httpListenAddress=127.0.0.1 --httpPort=8080" in command
    environment = by_id(inputs())["jenkins environment"]["content"].splitlines()
    assert {'JENKINS_LISTEN_ADDRESS="127.0.0.1"', 'JENKINS_PORT="8080"'} <= set(environment)


def test_the_war_starts_without_the_wizard_and_with_its_heap() -> None:
    settings = Settings.model_validate({**SETTINGS, "jenkins": {"heap": "3g"}})
    command = unit(by_id(inputs(software=WAR, settings=settings)))["Service"]["ExecStart"].split()
    assert {"-Xmx3g", "-Djenkins.install.runSetupWizard=false", "/usr/local/share/jenkins/jenkins.war"} <= set(command)


@pytest.mark.parametrize("software", [EMULATOR, WAR])
def test_sessions_and_forms_have_limits_and_no_agent_has_a_port(software: Any) -> None:
    command = set(unit(by_id(inputs(software=software)))["Service"]["ExecStart"].split())
    properties = {"slaveAgentPort=-1", "slaveAgentPortEnforce=true"}
    assert {f"-Djenkins.model.Jenkins.{each}" for each in properties} <= command
    assert {"--sessionTimeout=30", "--sessionEviction=1800", "--requestFormContentSize=10000000"} <= command


@pytest.mark.parametrize("software", [EMULATOR, WAR])
@pytest.mark.parametrize("toolkit", [Toolkit("main", "d" * 40, "f" * 64), None])
def test_local_folders_are_checked_out_only_where_the_repository_is_one(software: Any, toolkit: Any) -> None:
    command = unit(by_id(inputs(software=software, toolkit=toolkit)))["Service"]["ExecStart"]
    assert (toolkit is not None) == ("-Dhudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT=true" in command.split())
    assert (toolkit is not None) == ("ALLOW_LOCAL_CHECKOUT" in command)


@pytest.mark.parametrize("software", [EMULATOR, WAR])
def test_jenkins_looks_often_for_builds_that_wait_where_there_are_groups_of_agents(software: Any) -> None:
    settings = Settings.model_validate({**SETTINGS, "agents": {"linux": {}}})
    without, with_groups = (
        set(unit(by_id(inputs(software=software, **more)))["Service"]["ExecStart"].split())
        for more in ({}, {"settings": settings})
    )
    assert {
        "-Dhudson.slaves.NodeProvisioner.initialDelay=0",
        "-Dhudson.slaves.NodeProvisioner.recurrencePeriod=2000",
        "-Dorg.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis=120000",
    } == with_groups - without
    assert set() == without - with_groups


@pytest.mark.parametrize(("software", "is_there"), [(EMULATOR, True), (WAR, False)])
def test_the_emulator_calls_aws_only_where_there_are_groups_of_agents(software: Any, is_there: bool) -> None:
    settings = Settings.model_validate({**SETTINGS, "agents": {"linux": {}}})
    with_groups = by_id(inputs(software=software, settings=settings))
    assert "python3-boto3" not in by_id(inputs(software=software))["packages"]["names"]
    assert is_there == ("python3-boto3" in with_groups["packages"]["names"])
    assert is_there == ("python3-boto3" in with_groups["jenkins.service"]["runs_on"])


def test_services_leave_the_machine_some_memory_and_processes(wished: dict[str, dict[str, Any]]) -> None:
    texts = ("jenkins.service file", "agent service file", "builder service file", "nginx limits", "inspector service")
    limits = {name: settings_of(wished[name]["content"])["Service"] for name in texts}
    assert all(each["TasksMax"].isdigit() and each["MemoryMax"] != "infinity" for each in limits.values())
    shares = [int(limits[name]["MemoryMax"].rstrip("%")) for name in texts[:4]]
    assert sum(shares) <= 100
    assert {"continue"} == {limits[f"{word} service file"]["OOMPolicy"] for word in ("agent", "builder")}


def test_the_emulator_stands_under_the_same_unit_and_says_so(wished: dict[str, dict[str, Any]]) -> None:
    assert unit(wished)["Service"]["ExecStart"].startswith("/usr/bin/python3 -m jenkins_emulator ")
    assert "emulator" in unit(wished)["Unit"]["Description"]
    assert "/usr/local/lib/jenkins-emulator" == wished["emulator"]["path"]
    assert 'PYTHONPATH="/usr/local/lib/jenkins-emulator"' in wished["jenkins environment"]["content"].splitlines()


@pytest.mark.parametrize(("software", "has_groovy"), [(EMULATOR, True), (WAR, False)])
def test_the_emulators_packages_come_with_the_emulator_alone(software: Any, has_groovy: bool) -> None:
    assert has_groovy == ("groovy" in by_id(inputs(software=software))["packages"]["names"])


def test_jenkins_restarts_for_what_it_reads_only_at_its_start() -> None:
    causes = set(by_id(inputs(software=WAR))["jenkins.service"]["restart_on"])
    expected = {
        "jenkins.service file",
        "jenkins environment",
        "aws environment",
        "jenkins.war",
        "plugins",
        "plugins lock",
    }
    assert expected | {f"credential {name}" for name in SECRETS} == causes


def test_casc_files_are_laid_down_for_the_first_start_only(wished: dict[str, dict[str, Any]]) -> None:
    casc = wished["casc files"]
    # The job 'drift' reads them, as the agent's user; no secret is in them.
    assert (True, "0755", "root") == (casc["once"], casc["directory_mode"], casc["group"])
    assert [{"path": "a.yaml", "content": "jenkins: {}\n", "mode": "0644"}] == casc["files"]


def test_only_plugin_files_that_nobody_wished_are_strangers() -> None:
    assert ["*.jpi", "*.hpi"] == by_id(inputs(software=WAR))["plugins"]["unlisted"]


def test_the_home_is_on_the_data_volume_and_its_owner_has_a_fixed_number(wished: dict[str, dict[str, Any]]) -> None:
    assert "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc" == wished["data volume"]["device"]
    assert wished["group jenkins"]["gid"] == wished["user jenkins"]["uid"]
    order = list(wished)
    assert order.index("data volume") < order.index("/var/lib/jenkins") < order.index("jenkins.service")
