"""What the desired state lets in from the network: the firewall, the proxy and sshd."""

import json
import re
from typing import Any

import pytest
from wished import inputs

from tests.unit.remote.desired_units import by_id


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
