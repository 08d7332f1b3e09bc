"""The desired state: what every machine must be, read from the data that describes it."""

import configparser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from wished import EMULATOR, KEY, SECRETS, SETTINGS, WAR, inputs

from bootstrap.environment.models import Settings
from bootstrap.remote.converge.main import KINDS
from bootstrap.remote.desired.agent import AGENTS
from bootstrap.remote.desired.inputs import HostInputs, Toolkit
from bootstrap.remote.desired.state import list_resources
from bootstrap.values import Secret

LANDLOCK = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"]
ROOT = Path(__file__).resolve().parents[3]


def by_id(given: HostInputs) -> dict[str, dict[str, Any]]:
    return {resource["id"]: resource for resource in list_resources(given)}


@pytest.fixture
def wished() -> dict[str, dict[str, Any]]:
    return by_id(inputs())


def settings_of(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def unit(wished: dict[str, dict[str, Any]], name: str = "jenkins.service file") -> configparser.ConfigParser:
    return settings_of(wished[name]["content"])


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


def test_the_firewall_lets_in_ssh_and_https_and_nothing_else(wished: dict[str, dict[str, Any]]) -> None:
    rules = wished["firewall rules"]["content"]
    entrance = rules[rules.index("chain input {") : rules.index("chain forward {")]
    assert ["{ 22, 443 }"] == re.findall(r"dport (\{[^}]*\}|\S+)", entrance)
    chains = dict(re.findall(r"type filter hook (\w+) priority filter; policy (\w+);", rules))
    assert {"input": "drop", "forward": "drop", "output": "accept"} == chains


def chain(rules: str, name: str) -> list[str]:
    (body,) = re.findall(rf"chain {name} {{\n(.*?)\n    }}", rules, re.DOTALL)
    return [line.strip() for line in body.splitlines() if not line.strip().startswith("#")]


def test_the_firewall_keeps_ordinary_builds_from_the_iam_role() -> None:
    resources = by_id(inputs(aws_environment={"AWS_REGION": "eu-central-1"}))
    rules = resources["firewall rules"]["content"]
    (number,) = {resources[f"{kind} jenkins-builder"][key] for kind, key in (("user", "uid"), ("group", "gid"))}
    assert f"meta skuid {number} jump ordinary_builds" in chain(rules, "output")
    assert 1 == rules.count("skuid")
    held = chain(rules, "ordinary_builds")
    assert ["ip daddr 169.254.169.254 reject", "ip6 daddr fd00:ec2::254 reject"] == held[:2]
    assert "tcp sport 8080 drop" in held and not any("accept" in line for line in held)
    # The agent's own connection goes to Jenkins' port on the loopback.
    assert ['oif "lo" tcp dport 1-1023 tcp dport != { 53, 443 } reject'] == [each for each in held if "lo" in each]


def test_the_firewall_knows_where_the_local_cloud_has_the_metadata_service() -> None:
    endpoint = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://10.77.0.1:4566/"}
    resources = by_id(inputs(aws_environment=endpoint))
    held = chain(resources["firewall rules"]["content"], "ordinary_builds")
    assert "tcp dport 4566 reject" in held and "ip daddr 169.254.169.254 reject" in held
    asked = json.loads(resources["inspected facts"]["content"])["metadata"]
    assert {"url": "http://10.77.0.1:4566/", "users": ["jenkins-agent", "jenkins-builder"]} == asked


def test_the_proxy_speaks_modern_tls_on_443_alone(wished: dict[str, dict[str, Any]]) -> None:
    site = wished["nginx site"]["content"]
    assert ["443 ssl default_server"] == re.findall(r"listen ([^;]*);", site)
    assert ["TLSv1.2 TLSv1.3"] == re.findall(r"ssl_protocols ([^;]*);", site)
    (ciphers,) = re.findall(r"ssl_ciphers ([^;]*);", site)
    assert all(
        cipher.startswith("ECDHE-") and ("GCM" in cipher or "POLY1305" in cipher) for cipher in ciphers.split(":")
    )
    assert "Strict-Transport-Security" in site
    assert "absent" == wished["nginx default site"]["kind"]


def test_the_proxy_never_passes_a_clients_own_word_on_where_it_comes_from(wished: dict[str, dict[str, Any]]) -> None:
    passed = dict(re.findall(r"proxy_set_header (\S+) ([^;]*);", wished["nginx site"]["content"]))
    assert {"X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "https"}.items() <= passed.items()
    assert {'""'} == {
        passed[name] for name in ("Forwarded", "X-Forwarded-Prefix", "X-Forwarded-User", "X-Forwarded-Server")
    }
    assert "proxy_add_x_forwarded_for" not in wished["nginx site"]["content"]


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("jenkins.ci.internal", "443"),
        ("jenkins.ci.internal:8443", "8443"),
        ("127.0.0.1:9443", "9443"),
        ("[::1]", "443"),
        ("[::1]:8443", "8443"),
    ],
)
def test_jenkins_is_told_the_port_that_the_browser_used(
    wished: dict[str, dict[str, Any]], host: str, port: str
) -> None:
    site = wished["nginx site"]["content"]
    (body,) = re.findall(r"map \$http_host \$browser_port \{([^}]*)\n\}", site.replace("{1,5}", "+"))
    default, pattern = re.findall(r"default (\d+);\s+'~(.*)' \$given_port;", body)[0]
    given = re.search(pattern.replace("?<", "?P<"), host)

    assert "proxy_set_header X-Forwarded-Port $browser_port;" in site
    assert port == (given["given_port"] if given else default)


def test_the_path_reaches_jenkins_as_it_came(wished: dict[str, dict[str, Any]]) -> None:
    assert {"http://jenkins"} == set(re.findall(r"proxy_pass ([^;]*);", wished["nginx site"]["content"]))


def test_sshd_takes_keys_of_one_user_and_tunnels_to_jenkins_alone(wished: dict[str, dict[str, Any]]) -> None:
    lines = (line.split(maxsplit=1) for line in wished["sshd settings"]["content"].splitlines())
    settings = {line[0]: line[1] for line in lines if line and not line[0].startswith("#")}
    expected = {
        "AllowUsers": "admin",
        "AuthenticationMethods": "publickey",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "no",
        "X11Forwarding": "no",
        "AllowAgentForwarding": "no",
        "AllowTcpForwarding": "local",
        "PermitOpen": "127.0.0.1:8080 127.0.0.1:443",
    }
    assert expected == {key: settings[key] for key in expected}
    assert wished["sshd settings"]["path"].endswith("/10-bootstrap.conf")


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


@pytest.mark.parametrize(("word", "node"), [("agent", "machine"), ("builder", "builder")])
def test_an_agents_secret_reaches_it_through_systemd_alone(
    wished: dict[str, dict[str, Any]], word: str, node: str
) -> None:
    service = wished[f"{word} service file"]["content"].splitlines()
    assert f"LoadCredential=secret:/etc/jenkins/{word}.secret" in service
    (command,) = [line for line in service if line.startswith("ExecStart=")]
    assert f" -name {node} -secret @%d/secret " in command
    secret = wished[f"{word} secret"]
    assert ("agent_secret", node, f"/etc/jenkins/{word}.secret") == (secret["kind"], secret["node"], secret["path"])


def test_builds_are_in_no_group_of_others_and_see_nothing_of_their_folders(wished: dict[str, dict[str, Any]]) -> None:
    users = {name: wished[f"user {name}"] for name in ("jenkins", "jenkins-agent", "jenkins-builder")}
    assert 3 == len({user["uid"] for user in users.values()}) == len({wished[f"group {name}"]["gid"] for name in users})
    assert all((name, f"/var/lib/{name}") == (user["group"], user["home"]) for name, user in users.items())
    kept = {"-/var/lib/jenkins", "-/etc/jenkins/credentials", "-/etc/bootstrap/toolkit"}
    for word, other in (("agent", "jenkins-builder"), ("builder", "jenkins-agent")):
        service = unit(wished, f"{word} service file")["Service"]
        assert "SupplementaryGroups" not in service
        hidden = {*kept, f"-/var/lib/{other}", f"-/var/cache/{other}"}
        system = {f"-/run/{name}" for name in ("dbus", "systemd/private", "systemd/journal", "ssh-unix-local")}
        asked = {"-/run/inspect-machine.socket", *system} if word == "builder" else set()
        assert hidden | asked == set(service["InaccessiblePaths"].split())


def test_jenkins_ends_every_agent_if_its_port_is_taken(wished: dict[str, dict[str, Any]]) -> None:
    (line,) = re.findall("ExecStartPre=(.*)", wished["jenkins.service file"]["content"])
    units = " ".join(agent.unit for agent in AGENTS)
    assert line.startswith("-+/bin/sh -c 'if ss ") and "sport = :8080 " in line
    assert f"systemctl stop {units}; systemctl --no-block start {units}; fi'" in line


def test_an_agents_sandbox_is_the_same_for_ordinary_builds(wished: dict[str, dict[str, Any]]) -> None:
    own, ordinary = (dict(unit(wished, f"{word} service file")["Service"]) for word in ("agent", "builder"))
    named = {"user", "group", "workingdirectory", "environmentfile", "loadcredential", "execstartpre", "execstart"}
    different = {key.lower() for key in own if own[key] != ordinary[key]}
    assert {"TemporaryFileSystem", "SocketBindDeny"} == ordinary.keys() - own.keys()
    assert own.keys() <= ordinary.keys()
    assert different == {*named, "readwritepaths", "inaccessiblepaths", "memorymax"}


def test_no_ordinary_build_runs_without_the_firewall_or_knows_how_to_reach_aws(
    wished: dict[str, dict[str, Any]],
) -> None:
    text = wished["builder service file"]["content"]
    needs = unit(wished, "builder service file")["Unit"]
    assert "nftables.service" == needs["Requires"]
    assert {"After=jenkins.service network-online.target", "After=nftables.service"} <= set(text.splitlines())
    assert "aws.env" not in text and "aws environment" not in wished["jenkins-builder.service"]["restart_on"]
    assert "EnvironmentFile=/etc/bootstrap/aws.env" in wished["agent service file"]["content"]
    # What needs no rule does not stop with it.
    assert "nftables" not in wished["agent service file"]["content"]


@pytest.mark.parametrize(("word", "user"), [("agent", "jenkins-agent"), ("builder", "jenkins-builder")])
@pytest.mark.parametrize(("software", "program"), [(EMULATOR, "/usr/bin/python3 "), (WAR, "/usr/lib/jvm/")])
def test_an_agents_program_comes_from_jenkins_at_each_start(software: Any, program: str, word: str, user: str) -> None:
    service = unit(by_id(inputs(software=software)), f"{word} service file")["Service"]
    jar = f"/var/cache/{user}/agent.jar"
    assert f"--output {jar} http://127.0.0.1:8080/jnlpJars/agent.jar" in service["ExecStartPre"]
    assert service["ExecStart"].startswith(program) and f" {jar} -url http://127.0.0.1:8080/ " in service["ExecStart"]
    assert "-webSocket" in service["ExecStart"]


@pytest.mark.parametrize(
    ("word", "name", "also"), [("agent", "jenkins-agent", {"aws environment"}), ("builder", "jenkins-builder", set())]
)
def test_an_agent_comes_after_jenkins_and_restarts_for_what_it_reads(word: str, name: str, also: set[str]) -> None:
    resources = by_id(inputs(software=WAR))
    order = list(resources)
    assert order.index("jenkins.service") < order.index(f"{word} secret") < order.index(f"{name}.service")
    assert order.index("firewall") < order.index(f"{name}.service")
    service = resources[f"{name}.service"]
    expected = {f"{word} environment", f"{word} service file", f"{word} secret", "jenkins.war"}
    assert (expected | also, f"{word} secret") == (set(service["restart_on"]), service["awaits"])


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


def test_the_proxy_limits_every_request_and_sign_ins_above_all(wished: dict[str, dict[str, Any]]) -> None:
    site = wished["nginx site"]["content"]
    zones = dict(re.findall(r"limit_req_zone \S+ zone=(\w+):10m rate=(\S+);", site))
    assert {"requests": "100r/s", "basic": "60r/s", "logins": "30r/m"} == zones
    sign_in = site[site.index("location /j_spring_security_check {") :]
    # What a location limits itself replaces what it would inherit.
    assert ["requests", "logins"] == re.findall(r"limit_req zone=(\w+)", sign_in)
    inherited = site[site.index("server {") : site.index("location / {")]
    assert ["requests", "basic"] == re.findall(r"limit_req zone=(\w+)", inherited)
    assert "limit_conn addresses 200;" in inherited
    assert {"client_header_timeout", "client_body_timeout", "send_timeout"} <= set(
        re.findall(r"^    (\w+)", site, re.M)
    )


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


def test_builds_ask_for_facts_through_a_socket_because_they_cannot_become_root(
    wished: dict[str, dict[str, Any]],
) -> None:
    socket = settings_of(wished["inspector socket"]["content"])["Socket"]
    assert ("0660", "jenkins-agent", "yes") == (socket["SocketMode"], socket["SocketGroup"], socket["Accept"])
    service = settings_of(wished["inspector service"]["content"])["Service"]
    assert (wished["inspector"]["path"], "null") == (service["ExecStart"], service["StandardInput"])
    assert "0755" == wished["inspector"]["mode"]


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
