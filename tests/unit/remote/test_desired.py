"""The desired state: what every machine must be, read from the data that describes it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from wished import EMULATOR, KEY, SECRETS, SETTINGS, WAR, inputs

from bootstrap.environment.models import Settings
from bootstrap.remote.converge.main import KINDS
from bootstrap.remote.desired.state import list_resources
from bootstrap.values import Secret
from tests.unit.remote.desired_units import by_id, unit

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("software", [EMULATOR, WAR])
def test_every_resource_has_a_name_of_its_own_and_a_kind_that_the_machine_knows(software: Any) -> None:
    resources = list_resources(inputs(software=software))
    assert len(resources) == len({resource["id"] for resource in resources})
    assert {resource["kind"] for resource in resources} <= set(KINDS)


@pytest.mark.parametrize("software", [EMULATOR, WAR])
def test_what_restarts_a_unit_comes_before_it(software: Any) -> None:
    seen: set[str] = set()
    for resource in list_resources(inputs(software=software)):
        assert set(resource.get("restart_on", ())) <= seen, resource["id"]
        seen.add(resource["id"])


def test_the_same_inputs_give_the_same_state() -> None:
    assert json.dumps(list_resources(inputs())) == json.dumps(list_resources(inputs()))


def test_secrets_lie_only_in_resources_that_are_marked_and_closed() -> None:
    for resource in list_resources(inputs()):
        text = json.dumps(resource)
        if any(secret in text for secret in (*SECRETS.values(), "precious")):
            assert resource.get("secret") is True, resource["id"]
            assert resource["mode"] in {"0400", "0600", "0640"}, resource["id"]


def test_own_secrets_reach_jenkins_through_systemd_alone() -> None:
    wished = by_id(inputs(own_secrets={"DEPLOY_TOKEN": Secret("own words")}))
    tree, text = wished["own secrets"], wished["jenkins.service file"]["content"]

    assert ("root", "0700", True) == (tree["owner"], tree["directory_mode"], tree["secret"])
    assert [{"path": "DEPLOY_TOKEN", "content": "own words", "mode": "0400"}] == tree["files"]
    assert f"LoadCredential=DEPLOY_TOKEN:{tree['path']}/DEPLOY_TOKEN" in text.splitlines()
    assert "own words" not in json.dumps([it for name, it in wished.items() if name != "own secrets"])
    assert "own secrets" in wished["jenkins.service"]["restart_on"]


def test_a_removed_secret_that_settings_still_use_is_empty_and_restarts_nothing_when_it_goes() -> None:
    wished = by_id(inputs(removed_secrets=("DEPLOY_TOKEN",)))

    assert 'DEPLOY_TOKEN=""\n' == wished["removed secrets"]["content"]
    assert (
        f"EnvironmentFile=-{wished['removed secrets']['path']}"
        in wished["jenkins.service file"]["content"].splitlines()
    )
    assert "removed secrets" not in wished["jenkins.service"]["restart_on"]


def test_without_own_secrets_files_of_earlier_ones_are_removed_and_nothing_restarts(
    wished: dict[str, dict[str, Any]],
) -> None:
    assert ("tree", []) == (wished["own secrets"]["kind"], wished["own secrets"]["files"])
    assert "own secrets" not in wished["jenkins.service"]["restart_on"]


def test_no_secret_is_on_a_command_line(wished: dict[str, dict[str, Any]]) -> None:
    commands = [resource.get("command", []) + resource.get("unless", []) for resource in wished.values()]
    assert "precious" not in json.dumps(commands)


def test_extra_authorities_are_trusted_before_anything_is_fetched(wished: dict[str, dict[str, Any]]) -> None:
    order = list(wished)
    assert order.index("certificate company.crt") < order.index("certificates") < order.index("packages")
    assert 'REQUESTS_CA_BUNDLE="/etc/ssl/certs/ca-certificates.crt"' in wished["jenkins environment"]["content"]
    assert "certificates" not in by_id(inputs(ca_certificates={}))


def test_environment_files_read_in_a_shell_as_they_were_meant(
    wished: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "it.env").write_text(wished["jenkins environment"]["content"])
    script = f'set -a; . {tmp_path / "it.env"}; printf %s "$JENKINS_ADMIN_ADDRESS"'
    assert 'a "quoted" $name' == subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout


def test_upgrades_are_of_security_and_never_reboot(wished: dict[str, dict[str, Any]]) -> None:
    text = wished["upgrade settings"]["content"]
    assert "#clear Unattended-Upgrade::Origins-Pattern;" in text
    assert ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"] == re.findall(
        r'"(origin[^"]*)"', text
    )
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in text


def test_the_toolkit_finds_out_that_it_runs_on_the_machine(wished: dict[str, dict[str, Any]]) -> None:
    told = json.loads(wished["machine"]["content"])
    plugins = told["software"].pop("plugins")
    expected = {
        "environment": "local",
        "instance_id": "i-1",
        "venvs": "/var/cache/jenkins-agent/venvs",
        "software": {"kind": "emulator", "version": "2.1"},
    }
    assert expected == told
    # By this the settings' record tells whether the software that wrote it is the one that runs.
    assert 64 == len(plugins)
    assert 'AWS_REGION="eu-central-1"\n' == wished["aws environment"]["content"]


def test_a_repository_elsewhere_needs_none_on_the_machine() -> None:
    assert "toolkit repository" not in by_id(inputs(toolkit=None))


def test_the_inspector_is_asked_about_what_is_wished(wished: dict[str, dict[str, Any]]) -> None:
    asked = json.loads(wished["inspected facts"]["content"])
    assert set(asked["units"]) - {"var-lib-jenkins.mount"} == {
        name for name, it in wished.items() if it["kind"] == "unit"
    }
    assert set(asked["sysctls"]) == set(wished["kernel settings"]["values"])
    assert KEY not in wished["inspected facts"]["content"]


@pytest.mark.parametrize(("software", "of"), [(EMULATOR, "python3-aiohttp"), (WAR, "openjdk-25-jre-headless")])
def test_services_run_on_packages_that_are_wished_or_debians_own(software: Any, of: str) -> None:
    resources = by_id(inputs(software=software))
    named = {name: it["runs_on"] for name, it in resources.items() if "runs_on" in it}
    ours = {"jenkins.service", "jenkins-agent.service", "jenkins-builder.service"}
    assert {*ours, "nginx.service", "ssh.service"} == set(named)
    assert all(of in named[name] for name in ours)
    assert {name for names in named.values() for name in names} <= {*resources["packages"]["names"], "python3"}
    assert sorted(named) == sorted(json.loads(resources["inspected facts"]["content"])["services"])


def test_jenkins_runs_the_java_that_is_wished_and_builds_get_the_same() -> None:
    (java,) = [name for name in by_id(inputs())["packages"]["names"] if name.startswith("openjdk")]
    home = f"/usr/lib/jvm/java-{re.sub(r'[^0-9]', '', java)}-openjdk-amd64"
    resources = by_id(inputs(software=WAR))
    assert f'JAVA_HOME="{home}"' in resources["jenkins environment"]["content"].splitlines()
    assert unit(resources)["Service"]["ExecStart"].startswith(f"{home}/bin/java ")
    assert home == json.loads(resources["inspected facts"]["content"])["java_home"]
    assert f"home: {home}\n" in (ROOT / "casc/tools.yaml").read_text()
    assert "libharfbuzz0b" in resources["packages"]["names"]


def test_groovy_brings_no_older_java(wished: dict[str, dict[str, Any]]) -> None:
    order = list(wished)
    assert order.index("java for groovy") < order.index("packages")
    assert "java7-runtime-headless" in wished["java for groovy"]["provides"]
    assert "java for groovy" not in by_id(inputs(software=WAR))


def test_the_old_java_goes_after_everything_was_restarted_unless_it_is_asked_for() -> None:
    resources = list_resources(inputs())
    assert ("obsolete packages", ["openjdk-21-jre-headless"]) == (resources[-1]["id"], resources[-1]["names"])
    assert not set(resources[-1]["names"]) & set(by_id(inputs())["packages"]["names"])
    asked = Settings.model_validate({**SETTINGS, "host": {"extra_packages": ("openjdk-21-jre-headless",)}})
    assert [] == list_resources(inputs(settings=asked))[-1]["names"]


def test_the_machines_zone_and_extra_packages_are_the_settings() -> None:
    settings = Settings.model_validate({**SETTINGS, "host": {"timezone": "Europe/Berlin", "extra_packages": ("htop",)}})
    found = by_id(inputs(settings=settings))
    assert "/usr/share/zoneinfo/Europe/Berlin" == found["localtime"]["target"]
    assert "htop" in found["packages"]["names"]
