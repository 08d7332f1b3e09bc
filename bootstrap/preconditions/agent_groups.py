"""The groups of agents: the parameters of their stacks, and their keys for Jenkins."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.cloud import agent_groups, images, jobs_place, refusals
from bootstrap.context import Context
from bootstrap.environment.agents import INFRASTRUCTURE, takes_toolkit_jobs
from bootstrap.jenkins.controller import settings_record
from bootstrap.jenkins.definitions import fleets
from bootstrap.remote import questions
from bootstrap.remote.desired.base import JAVA_PACKAGES
from bootstrap.stacks import composition
from bootstrap.values import Secret, Stack

CONTAINER_PACKAGES = ("podman", "buildah", "uidmap", "passt", "crun", "dbus-user-session")
"""What rootless containers need: ids (uidmap), a network (passt), a runtime, and a user's systemd that makes cgroups."""
# The jobs of the toolkit make its virtual environment, and ask the machine by SSH.
_PACKAGES_OF_JOBS = ("ca-certificates", "openssh-client", "python3-venv")


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
    of_jobs = _PACKAGES_OF_JOBS if name == composition.OF_JOBS else ()
    packages = ", ".join(dict.fromkeys(("git", *software, *of_jobs, *containers, *group.packages)))
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


def read_jobs_key(context: Context) -> str:
    """The public key with which the agents of the toolkit's jobs log in on the machine; '' without their group. AwsRefused."""
    if not takes_toolkit_jobs(context.settings.agents):
        return ""
    with refusals.convert_errors("reading the key of the agents of the toolkit's jobs"):
        return agent_groups.read_public_key(
            context.world.aws, _get_output(context, INFRASTRUCTURE, "ControllerKeyPairId")
        )


def list_jobs_commands() -> tuple[tuple[str, ...], ...]:
    """The commands with which the toolkit's jobs ask the machine."""
    return (jobs_place.READ_MACHINE, *settings_record.QUESTIONS, *map(questions.make_command, questions.ALL))


def _find_door(context: Context) -> fleets.Door | None:
    """Where the agents of the toolkit's jobs log in; None without their group."""
    if not takes_toolkit_jobs(context.settings.agents):
        return None
    keys = sorted(context.machine.host_keys, key=lambda key: not key.startswith("ssh-ed25519 "))
    return fleets.Door(context.machine.address, keys[0])


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
    return fleets.make_clouds(context.settings.agents, known, _find_door(context))


def _get_output(context: Context, label: str, output: str) -> str:
    return context.outputs(composition.name_agents_stack(label))[output]
