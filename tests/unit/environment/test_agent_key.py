"""The key of Session Manager's agent: read, recognized, and what the machine does with it at its first boot."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.environment import agent_key, models, settings
from bootstrap.errors import SettingsInvalid
from bootstrap.stacks import parameters, template

ROOT = Path(__file__).resolve().parents[3]
WHOLE = "environment: trial\ncloud: aws\nowner: someone\ncost_center: lab\n"


class Signer:
    """Somebody who signs packages, with a key and a home of gpg of their own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self._home = home
        made = [
            "--passphrase",
            "",
            "--quick-generate-key",
            f"{home.name} <signer@localhost>",
            "rsa2048",
            "sign",
            "never",
        ]
        self._gpg("--pinentry-mode", "loopback", *made)
        self.key = self._gpg("--armor", "--export")
        listed = self._gpg("--with-colons", "--fingerprint")
        self.fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def sign(self, file: Path) -> None:
        self._gpg("--yes", "--detach-sign", str(file))

    def _gpg(self, *arguments: str) -> str:
        command = ["gpg", "--homedir", str(self._home), "--batch", "--quiet", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("k")  # short: gpg's agent has a socket in its home


@pytest.fixture(scope="module")
def amazon(folder: Path) -> Iterator[Signer]:
    yield Signer(folder / "amazon")
    subprocess.run(["gpgconf", "--homedir", str(folder / "amazon"), "--kill", "all"], check=True)


@pytest.fixture(scope="module")
def stranger(folder: Path) -> Iterator[Signer]:
    yield Signer(folder / "stranger")
    subprocess.run(["gpgconf", "--homedir", str(folder / "stranger"), "--kill", "all"], check=True)


def test_the_fingerprint_is_the_one_that_gnupg_shows(amazon: Signer) -> None:
    assert amazon.fingerprint == agent_key.format_fingerprint(amazon.key)


@pytest.mark.parametrize("spoil", ["", "no key", "half", "private"])
def test_what_is_no_key_is_refused(amazon: Signer, spoil: str) -> None:
    spoilt = {
        "half": amazon.key[: len(amazon.key) // 2],
        "private": amazon.key.replace("PUBLIC", "PRIVATE"),
    }.get(spoil, spoil)

    with pytest.raises(ValueError, match="not an armored OpenPGP public key"):
        agent_key.check_agent_key(spoilt)


def test_a_block_of_something_else_is_refused(amazon: Signer) -> None:
    lines = amazon.key.splitlines()
    with pytest.raises(ValueError, match="no version 4 OpenPGP public key"):
        agent_key.check_agent_key("\n".join([lines[0], "", "AAAA" * 20, lines[-1]]))
    with pytest.raises(ValueError, match="damaged"):
        agent_key.check_agent_key("\n".join([lines[0], "", "A*AA", lines[-1]]))
    with pytest.raises(ValueError, match="a parameter of a template holds"):
        agent_key.check_agent_key("\n".join([lines[0], "", *["AAAA" * 16] * 70, lines[-1]]))


def load(folder: Path, text: str) -> models.Settings:
    path = folder / "trial.yaml"
    path.write_text(WHOLE + text)
    return settings.load(path)


def with_key(key: str) -> str:
    return "access:\n  agent_key: |\n" + "".join(f"    {line}\n" for line in key.splitlines()) + "network: {nat: one}\n"


def test_the_key_reaches_the_template(tmp_path: Path, amazon: Signer) -> None:
    chosen = load(tmp_path, with_key(amazon.key))
    settings.check_ssh(tmp_path / "trial.yaml", chosen)

    given = parameters._make_stack_parameters(chosen, "controller", {})["AgentKey"]

    assert given == "".join(amazon.key.split("\n\n", 1)[1].rsplit("\n=", 1)[0].split())
    assert 4096 >= len(given)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("access:\n  ssh: bastion\n", (6, 8), "add network.bastion"),
        ("access:\n  ssh: direct\n", (6, 8), "name access.operator_cidrs"),
        ("access:\n  ssh: telnet\n", (6, 8), "'session-manager', 'direct' or 'bastion'"),
        ("access:\n  agent_key: precious\n", (6, 14), "not an armored OpenPGP public key"),
    ],
)
def test_a_way_of_ssh_that_leads_nowhere_is_refused(
    tmp_path: Path, text: str, place: tuple[int, int], words: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, text)

    (fault,) = caught.value.faults
    assert place == (fault.line, fault.column)
    assert words in fault.message


def test_this_machine_has_no_session_manager(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(WHOLE.replace("aws", "local") + "access: {ssh: session-manager}\n")

    with pytest.raises(SettingsInvalid, match="has no Session Manager"):
        settings.load(path)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("network: {nat: one}\naccess: {}\n", [(6, 1, "access.agent_key: is missing")]),
        (
            "network:\n  endpoints: [ssm, ssmmessages]\n",
            [(6, 3, "endpoints are missing for ec2messages"), (1, 1, "access.agent_key: is missing")],
        ),
    ],
)
def test_a_machine_whose_agent_cannot_be_had_or_heard_is_not_launched(
    tmp_path: Path, text: str, faults: list[tuple[int, int, str]]
) -> None:
    chosen = load(tmp_path, text)

    with pytest.raises(SettingsInvalid) as caught:
        settings.check_ssh(tmp_path / "trial.yaml", chosen)

    assert [it[:2] for it in faults] == [(it.line, it.column) for it in caught.value.faults]
    assert all(words in it.message for (_, _, words), it in zip(faults, caught.value.faults, strict=True))
    assert "Verifying the signature of SSM Agent" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "operator", "bastion", "allowed"),
    [
        ("network: {nat: one}\n", "no", "no", False),
        ("network: {nat: one, bastion: {}}\n", "no", "yes", False),
        ("access: {ssh: direct, operator_cidrs: [198.51.100.0/24]}\n", "yes", "yes", True),
        ("access: {ssh: bastion}\nnetwork: {bastion: {}}\n", "no", "yes", False),
    ],
)
def test_port_22_is_open_only_where_ssh_comes_that_way(
    tmp_path: Path, text: str, operator: str, bastion: str, allowed: bool
) -> None:
    chosen = load(tmp_path, text)
    network, acls = (parameters._make_stack_parameters(chosen, name, {}) for name in ("network", "acls"))
    wished = chosen.network.intentions.list_allowed(
        operators=chosen.access.operator_cidrs, is_ssh_direct=chosen.ssh == "direct"
    )

    assert (operator, bastion, operator) == (network["OperatorSsh"], network["BastionSsh"], acls["OperatorSsh"])
    assert allowed == ("operators -> controller:22" in map(str, wished))


# --- what the machine does


def user_data() -> dict[str, Any]:
    """cloud-init's configuration of a machine that has an agent, with the functions' variables still in it."""
    body = template.parse((ROOT / "cloudformation" / "controller.yaml").read_text())
    _, with_agent, without = body["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"][
        "Fn::Base64"
    ]
    plain = yaml.safe_load(without)
    found: dict[str, Any] = yaml.safe_load(with_agent)
    assert plain.items() <= found.items()
    assert len(with_agent) + 4096 < 16384  # the most that EC2 takes, with the largest key
    return found


def written(path: str) -> str:
    return str(next(it["content"] for it in user_data()["write_files"] if it["path"] == path))


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    files = tmp_path / "bucket"
    files.mkdir()
    (files / "amazon-ssm-agent.deb").write_bytes(b"the agent")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(files))

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield files, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def install(folder: Path, url: str, key: str, status: str = "") -> tuple[int, bool]:
    """Run the machine's own program with a dpkg that only notes what it was given: exit code, and whether it was called."""
    (folder / "install").write_text(written("/usr/local/sbin/install-session-agent"))
    (folder / "key").write_bytes(agent_key.decode_armour(key))
    (folder / "dpkg").write_text('#!/bin/sh\n[ "$1" = --install ] && cp "$2" "$(dirname "$0")/installed"\n')
    (folder / "dpkg").chmod(0o755)
    # dpkg-query exits with 1 if dpkg never heard of the package.
    shown = f"Package: amazon-ssm-agent\nStatus: {status}\nPriority: optional\n"
    (folder / "dpkg-query").write_text(f"#!/bin/sh\nprintf '%s' '{shown}'\n" if status else "#!/bin/sh\nexit 1\n")
    (folder / "dpkg-query").chmod(0o755)
    command = [sys.executable, str(folder / "install"), url, str(folder / "key")]
    done = subprocess.run(command, env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}, capture_output=True)
    return done.returncode, (folder / "installed").exists()


def test_the_machine_installs_what_amazon_signed(tmp_path: Path, bucket: tuple[Path, str], amazon: Signer) -> None:
    files, url = bucket
    amazon.sign(files / "amazon-ssm-agent.deb")

    assert (0, True) == install(tmp_path, url, amazon.key)
    assert b"the agent" == (tmp_path / "installed").read_bytes()


@pytest.mark.parametrize(
    ("status", "is_installed_again"),
    [
        ("install ok installed", False),
        ("install reinstreq half-installed", True),
        ("install ok unpacked", True),
        ("install ok half-configured", True),
        ("deinstall ok config-files", True),
    ],
)
def test_an_installation_that_was_killed_is_done_again_and_a_finished_one_is_not(
    tmp_path: Path, bucket: tuple[Path, str], amazon: Signer, status: str, is_installed_again: bool
) -> None:
    files, url = bucket
    amazon.sign(files / "amazon-ssm-agent.deb")

    assert (0, is_installed_again) == install(tmp_path, url, amazon.key, status)
    assert "ConditionPathExists" not in written("/etc/systemd/system/session-agent.service")


def test_the_machine_installs_nothing_that_somebody_else_signed(
    tmp_path: Path, bucket: tuple[Path, str], amazon: Signer, stranger: Signer
) -> None:
    files, url = bucket
    stranger.sign(files / "amazon-ssm-agent.deb")

    assert (1, False) == install(tmp_path, url, amazon.key)


def test_the_machine_installs_nothing_that_was_changed_or_is_not_signed(
    tmp_path: Path, bucket: tuple[Path, str], amazon: Signer
) -> None:
    files, url = bucket
    assert (1, False) == install(tmp_path, url, amazon.key)
    amazon.sign(files / "amazon-ssm-agent.deb")
    (files / "amazon-ssm-agent.deb").write_bytes(b"another agent")

    assert (1, False) == install(tmp_path, url, amazon.key)


def test_the_machine_asks_its_own_regions_bucket_and_tries_until_the_agent_is_there() -> None:
    unit = written("/etc/systemd/system/session-agent.service")

    assert "https://s3.${AWS::Region}.${AWS::URLSuffix}/amazon-ssm-${AWS::Region}/latest/debian_amd64 /etc/" in unit
    assert {"Restart=on-failure", "StartLimitIntervalSec=0"} <= set(unit.splitlines())
    assert ["systemctl", "enable", "--now", "--no-block", "session-agent.service"] in user_data()["runcmd"]
