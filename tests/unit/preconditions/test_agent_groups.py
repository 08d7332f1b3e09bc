"""The parameters of the stacks with groups of agents, and the keys and clouds that Jenkins gets for them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bootstrap.environment.agents import AgentGroup
from bootstrap.preconditions import agent_groups
from bootstrap.remote.desired.base import JAVA_PACKAGES
from bootstrap.values import Secret, Stack

GROUPS = {
    "linux": AgentGroup(packages=("git", "maven")),
    "arm": AgentGroup(instance_types=("m7g.large",)),
    "boxes": AgentGroup(containers=True, packages=("podman-docker", "buildah")),
}
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGHPY4xH0sTdDIhFtJ9TXyGx8BTkYMPcLQuL6oxL9aSy"
NETWORK = Stack("p-e-network", "CREATE_COMPLETE", {"ControllerSubnetId": "subnet-1"})
CONTROLLER = Stack("p-e-controller", "CREATE_COMPLETE", {}, {"ImageId": "ami-00000001"})


class Context:
    """An environment whose keys EC2 made: the private key of a pair is its id, backwards."""

    def __init__(self, endpoint: str = "", source: str = "emulator") -> None:
        self.settings = SimpleNamespace(agents=GROUPS, jenkins=SimpleNamespace(source=source))
        self.distribution: Any = None
        self.chosen_image = ""
        environment = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
        self.world = SimpleNamespace(aws=self._serve, make_machine_environment=lambda subnet: environment)
        self.asked: list[str] = []

    def _serve(self, service: str) -> Any:
        def read_parameters(*, Names: list[str], **_: Any) -> Any:  # noqa: N803
            self.asked += Names
            return {"Parameters": [{"Value": "ami-0000000a"}]}

        return SimpleNamespace(
            get_parameter=lambda **asked: {"Parameter": {"Value": asked["Name"].rpartition("/")[2][::-1]}},
            describe_key_pairs=lambda **asked: {"KeyPairs": [{"PublicKey": f"{PUBLIC} {asked['KeyPairIds'][0]}"}]},
            get_parameters=read_parameters,
        )

    def outputs(self, name: str) -> dict[str, str]:
        label = name.removeprefix("agents-")
        return {"AgentsGroup": f"p-e-{name}", "ClientKeyPairId": f"key-{label}", "HostKeyPairId": f"host-{label}"}


def gather(context: Any, name: str = "agents-linux", **existing: Stack) -> dict[str, str]:
    return agent_groups.gather_parameters(context, name, {"network": NETWORK, "controller": CONTROLLER, **existing})


def test_agents_of_the_emulator_install_git_and_what_the_file_names_once() -> None:
    assert {"ImageId": "ami-0000000a", "Packages": "git, maven"} == gather(Context())


def test_agents_whose_builds_run_containers_install_podman_and_what_it_needs_without_root() -> None:
    needed = "git, podman, buildah, uidmap, passt, crun, dbus-user-session, podman-docker"
    assert needed == gather(Context(), "agents-boxes")["Packages"]


def test_agents_of_a_real_jenkins_have_its_java() -> None:
    found = gather(Context(source="official"))

    assert ["git", *JAVA_PACKAGES, "maven"] == found["Packages"].split(", ")


def test_what_a_launch_took_counts_more_than_what_the_file_asked_for() -> None:
    """`fallback: emulator` makes an emulator of what the file asks for."""
    context = Context(source="official")
    context.distribution = SimpleNamespace(kind="emulator")

    assert "git, maven" == gather(context)["Packages"]


def test_agents_of_the_local_cloud_are_told_where_it_is() -> None:
    found = gather(Context("http://10.0.0.1:8999"))

    assert ("http://10.0.0.1:8999",) * 2 == (found["MetadataUrl"], found["ParametersUrl"])


@pytest.mark.parametrize(("label", "architecture"), [("linux", "amd64"), ("arm", "arm64")])
def test_new_instances_get_the_newest_image_for_their_processors(label: str, architecture: str) -> None:
    context = Context()

    assert "ami-0000000a" == gather(context, f"agents-{label}")["ImageId"]
    assert [f"/aws/service/debian/release/13/latest/{architecture}"] == context.asked


def test_jenkins_gets_the_private_key_of_the_login_and_the_public_one_of_the_host() -> None:
    context: Any = Context()

    keys = agent_groups.read_client_keys(context)
    clouds = yaml.safe_load(agent_groups.make_clouds(context))["jenkins"]["clouds"]

    expected = {"linux": "xunil-yek", "arm": "mra-yek", "boxes": "sexob-yek"}
    assert {f"AGENTS_{label.upper()}_KEY": Secret(key) for label, key in expected.items()} == keys
    found = {it["eC2Fleet"]["name"]: it["eC2Fleet"] for it in clouds}
    assert {label: f"p-e-agents-{label}" for label in expected} == {name: it["fleet"] for name, it in found.items()}
    for cloud in found.values():
        strategy = cloud["computerConnector"]["sshConnector"]["sshHostKeyVerificationStrategy"]
        assert {"manuallyProvidedKeyVerificationStrategy": {"key": PUBLIC}} == strategy
    assert "yek" not in str(clouds)
