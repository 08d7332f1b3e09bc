"""The groups of agents: the parameters of their stacks, and their keys for Jenkins."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.cloud import agent_groups, images, refusals
from bootstrap.context import Context
from bootstrap.jenkins.definitions import fleets
from bootstrap.remote.desired.base import JAVA_PACKAGES
from bootstrap.stacks import composition
from bootstrap.values import Secret, Stack

CONTAINER_PACKAGES = ("podman", "buildah", "uidmap", "passt", "crun", "dbus-user-session")
"""What rootless containers need: ids (uidmap), a network (passt), a runtime, and a user's systemd that makes cgroups."""


def gather_parameters(context: Context, name: str, existing: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one group's stack that only the cloud knows. Raises ImageMissing, ClientError.

    `name` is the short name of the stack. Agents of a real Jenkins run with Java; those of the emulator with Python,
    which every image has.
    """
    group = context.settings.agents[name.removeprefix(composition.AGENTS)]
    environment = context.world.make_machine_environment(existing["network"].outputs["ControllerSubnetId"])
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    places = {"MetadataUrl": endpoint, "ParametersUrl": endpoint} if endpoint else {}
    software = () if _is_emulated(context) else JAVA_PACKAGES
    containers = CONTAINER_PACKAGES if group.containers else ()
    packages = ", ".join(dict.fromkeys(("git", *software, *containers, *group.packages)))
    # The newest image, unlike the machine's: an agent lives for hours, and a new instance replaces none that runs.
    image = images.read_newest(context.world.aws, is_arm=group.is_arm)
    return places | {"ImageId": image, "Packages": packages}


def _is_emulated(context: Context) -> bool:
    """Whether the Jenkins of this launch is the emulator."""
    if context.distribution is not None:
        return context.distribution.kind == "emulator"
    return context.settings.jenkins.source == "emulator"


def read_client_keys(context: Context) -> dict[str, Secret]:
    """The private keys with which Jenkins logs in to agents, by the names that its settings have. AwsRefused, StackMissing."""
    with refusals.convert_errors("reading the keys of the agents"):
        return {
            fleets.name_secret(label): agent_groups.read_private_key(
                context.world.aws, _get_output(context, label, "ClientKeyPairId")
            )
            for label in context.settings.agents
        }


def make_clouds(context: Context) -> str:
    """The document with the clouds that Jenkins shall have, as `fleets.make_clouds` returns it. AwsRefused, StackMissing."""
    with refusals.convert_errors("reading the host keys of the agents"):
        known = {
            label: fleets.Fleet(
                _get_output(context, label, "AgentsGroup"),
                agent_groups.read_public_key(context.world.aws, _get_output(context, label, "HostKeyPairId")),
            )
            for label in context.settings.agents
        }
    return fleets.make_clouds(context.settings.agents, known)


def _get_output(context: Context, label: str, output: str) -> str:
    return context.outputs(composition.name_agents_stack(label))[output]
