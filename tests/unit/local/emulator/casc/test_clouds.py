"""Clouds in Configuration as Code: who knows them, their defaults, their faults, their export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.local.emulator.casc import applying
from bootstrap.local.emulator.casc.applying import Prepared
from bootstrap.local.emulator.casc.export import Exporter
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.vocabulary import Vocabulary
from bootstrap.local.emulator.execution.fleet.construction import construct_clouds
from bootstrap.local.emulator.failures import ConfigurationRefused
from bootstrap.local.emulator.model.home import Home
from bootstrap.local.emulator.options import BUNDLED_PLUGINS, Options, read_plugins

PLUGINS = {**read_plugins(BUNDLED_PLUGINS), "ec2-fleet": "4.3", "ssh-slaves": "3"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKYlrE0rHoYmkdPLq2dg8G0n5S5w5m7vRKvNE8xqb9D"
CLASS = "com.amazon.jenkins.ec2fleet.EC2FleetCloud"
PARTS = ("ec2", "autoscaling", "cloudformation")
FAILED = "cloud: Failed to configure 'clouds': Failed to "
LACKS = "The emulator of Jenkins "


def make_home(folder: Path, plugins: dict[str, str] | None = None) -> Home:
    return Home(
        Options(folder, "127.0.0.1", 1, "2.568.2", PLUGINS if plugins is None else plugins, {"SECRETS": "/none"})
    )


def prepare(folder: Path, told: dict[str, Any], plugins: dict[str, str] | None = None) -> Prepared:
    text = yaml.safe_dump({"jenkins": {"clouds": [{"eC2Fleet": {"name": "linux", "fleet": "group", **told}}]}})
    return applying.prepare(make_home(folder, plugins), parse(text, "f"))


def refuse(folder: Path, told: dict[str, Any], plugins: dict[str, str] | None = None) -> tuple[str, str]:
    with pytest.raises(ConfigurationRefused) as caught:
        prepare(folder, told, plugins)
    (issue,) = caught.value.issues
    return issue.said, issue.cause


def connect(**strategy: Any) -> dict[str, Any]:
    return {"computerConnector": {"sshConnector": {"credentialsId": "a", "sshHostKeyVerificationStrategy": strategy}}}


def provide(key: str) -> dict[str, Any]:
    return connect(manuallyProvidedKeyVerificationStrategy={"key": key})


def test_only_the_plugins_know_clouds(tmp_path: Path) -> None:
    said, _ = refuse(tmp_path, {}, read_plugins(BUNDLED_PLUGINS))
    assert "No hudson.slaves.Cloud implementation found for eC2Fleet" in said
    without = {name: version for name, version in PLUGINS.items() if name != "ssh-slaves"}
    assert "sshConnector" in refuse(tmp_path, connect(), without)[0]


def test_the_defaults_are_those_of_the_plugins(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, {**connect(nonVerifyingKeyVerificationStrategy={}), "minSize": -2})
    told = prepared.checked["jenkins"]["clouds"][0]["eC2Fleet"]
    intervals = ("initOnlineTimeoutSec", "initOnlineCheckIntervalSec", "cloudStatusIntervalSec")
    assert [180, 15, 10] == [told[name] for name in intervals]
    assert ["-1", 0, 1] == [told[name] for name in ("maxTotalUses", "minSize", "numExecutors")]
    connector = told["computerConnector"]["sshConnector"]
    names = ("port", "launchTimeoutSeconds", "maxNumRetries", "retryWaitTime")
    assert [22, 60, 10, 15] == [connector[name] for name in names]


@pytest.mark.parametrize(
    ("told", "said", "cause"),
    [
        ({"fleets": "x"}, f"eC2Fleet: Invalid configuration elements for type: class {CLASS} : fleets.", ""),
        ({"maxTotalUses": "many"}, f"{FAILED}construct", 'NumberFormatException: For input string: "many"'),
        (provide("AAAA"), f"{FAILED}construct", "Key should be 2 parts"),
        (provide("ssh-ed25519 ???"), f"{FAILED}construct", "Base64 encoded value"),
        (connect(trustEverything={}), "SshHostKeyVerificationStrategy implementation found for trustEverything", ""),
        ({"fleet": "sfr-1"}, f"{LACKS}has clouds of Auto Scaling groups alone", ""),
        ({"awsCredentialsId": "x"}, f"{LACKS}takes the credentials of AWS from the machine", ""),
        ({"executorScaler": {"weightedScaler": {}}}, f"{LACKS}gives every node the same number of executors", ""),
    ],
)
def test_faults_are_told(tmp_path: Path, told: dict[str, Any], said: str, cause: str) -> None:
    words, behind = refuse(tmp_path, told)
    assert said in words and cause in behind


def test_no_setting_is_left_unjudged_with_the_plugins_that_clouds_need(tmp_path: Path) -> None:
    sdk = ("minimal", "ec2")
    needed = [*(f"aws-java-sdk-{part}" for part in sdk), *(f"aws-java-sdk2-{part}" for part in ("core", *PARTS))]
    plugins = {**PLUGINS, "aws-credentials": "265", **dict.fromkeys(needed, "1")}
    assert [] == Vocabulary(plugins).unrecorded_plugins
    key = {"id": "a", "accessKey": "AKIA", "secretKey": "hidden"}
    text = yaml.safe_dump({"credentials": {"system": {"domainCredentials": [{"credentials": [{"aws": key}]}]}}})
    home = make_home(tmp_path, plugins)
    home.load()
    applying.apply(home, applying.prepare(home, parse(text, "f")))
    credential = home.credentials.find("a")
    assert credential is not None and ("aws", "hidden") == (credential.kind, credential.values["secretKey"])
    assert "hidden" not in (tmp_path / "credentials.xml").read_text()


def test_a_cloud_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match=r"name is required to configure class .*EC2FleetCloud"):
        applying.prepare(make_home(tmp_path), parse("jenkins: {clouds: [{eC2Fleet: {fleet: g}}]}", "f"))


def test_other_settings_do_not_construct_clouds(tmp_path: Path) -> None:
    prepared = applying.prepare(make_home(tmp_path), parse("jenkins: {systemMessage: x}", "f"))
    assert construct_clouds(prepared, {}) is None
    assert construct_clouds(applying.prepare(make_home(tmp_path), parse("jenkins: {clouds: []}", "f")), {}) == {}


def test_the_constructor_asks_aws_and_its_failure_refuses_the_settings(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, {"endpoint": "http://127.0.0.1:9"})
    with pytest.raises(ConfigurationRefused) as caught:
        construct_clouds(prepared, {"AWS_REGION": ""})
    (issue,) = caught.value.issues
    assert (
        issue.said.startswith(f"{FAILED}construct instance of class {CLASS}.") and "SdkClientException" in issue.cause
    )


def test_an_export_shows_them_and_is_read_back(tmp_path: Path) -> None:
    checked = prepare(tmp_path, {**provide(f"{KEY} a comment"), "labelString": "linux", "maxSize": 3}).checked
    text = Exporter(PLUGINS, lambda secret: "{sealed}").export(checked)
    exported = yaml.safe_load(text)["jenkins"]["clouds"][0]["eC2Fleet"]

    strategy = exported["computerConnector"]["sshConnector"]["sshHostKeyVerificationStrategy"]
    assert {"manuallyProvidedKeyVerificationStrategy": {"key": KEY}} == strategy
    shown = ("executorScaler", "noDelayProvision", "maxSize", "labelString")
    assert ["noScaler", False, 3, "linux"] == [exported[name] for name in shown]
    assert Exporter(PLUGINS, lambda secret: "{sealed}").export(prepare(tmp_path, exported).checked) == text


def test_config_xml_has_them(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    home.load()
    text = yaml.safe_dump(
        {"jenkins": {"clouds": [{"eC2Fleet": {"name": "linux", **connect(nonVerifyingKeyVerificationStrategy={})}}]}}
    )
    applying.apply(home, applying.prepare(home, parse(text, "f")))
    written = (tmp_path / "config.xml").read_text()

    assert '<com.amazon.jenkins.ec2fleet.EC2FleetCloud plugin="ec2-fleet@4.3">' in written
    assert "verifiers.NonVerifyingKeyVerificationStrategy" in written
