"""One environment, opened: its settings, its world, and what its stacks say about the machine and the controller.

No state of ours is needed to open it: the stacks' outputs name everything, the secrets lie in Secrets Manager. Each part is
looked up when it is first asked for, so that a command pays only for what it uses.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.acts import casc, stack
from bootstrap.cloud import instance as machines
from bootstrap.cloud import jobs_place
from bootstrap.cloud.secrets import read_certificates, read_secret
from bootstrap.cloud.world import World
from bootstrap.environment import settings as environments
from bootstrap.environment.models import Settings
from bootstrap.errors import StackMissing, Unreachable, UsageError
from bootstrap.jenkins.definitions import agents, casc_variables, fleets, people, sign_in
from bootstrap.jenkins.distribution import Distribution, Lock, load_lock
from bootstrap.projects import folders
from bootstrap.projects.folders import PROJECT, ROOT
from bootstrap.stacks import composition
from bootstrap.values import Controller, JobSet, Machine, Secret, Shell, Stack

if TYPE_CHECKING:
    import jenkins

__all__ = ["PROJECT", "ROOT", "Context", "find_named_file", "open_context"]

TOOLKIT_USER = "toolkit"
REPOSITORY = "/srv/git/toolkit.git"


class Context:
    """One opened environment; a context manager, for it holds connections."""

    def __init__(
        self,
        environment_file: Path,
        settings: Settings,
        endpoint: str | None = None,
        from_subnet: Callable[[str], Mapping[str, str]] | None = None,
        cloud: Path | None = None,
    ) -> None:
        self.environment_file = environment_file
        self.settings = settings
        self.state = PROJECT / ".bootstrap" / settings.name
        self.world = World(settings, endpoint, from_subnet, lambda: self.bastion, cloud or self.state / "cloud")
        self.distribution: Distribution | None = None  # once this run knows which Jenkins it has
        self.chosen_image: str | None = None  # the image that the machine shall have instead of the pinned one
        self._exits = contextlib.ExitStack()

    @property
    def tool(self) -> str:
        """How a person types this toolkit's commands for this environment."""
        is_known = (
            self.environment_file.resolve() == (PROJECT / "environments" / f"{self.settings.name}.yaml").resolve()
        )
        if is_known and self.settings.name == "local":
            return "./bootstrap.py"
        return f"./bootstrap.py -e {self.settings.name if is_known else self.environment_file}"

    @property
    def stack_order(self) -> tuple[str, ...]:
        """Every possible stack in the order of creation: the toolkit's, then one's own, also those without a wish."""
        files = sorted(path.stem for path in (PROJECT / "cloudformation").glob("*.yaml"))
        templates = [name for name in files if not composition.is_template_of_agents(name)]
        order = composition.place_agents(self._agents_stacks)
        return tuple(dict.fromkeys((*order, *self.settings.stacks, *templates)))

    @cached_property
    def _agents_stacks(self) -> tuple[str, ...]:
        """The stacks of groups of agents, of those in the settings and of those that only exist, by their short names.

        The toolkit's jobs may not list the account's stacks: they look at those in the settings, also of other environments.
        """
        wished = tuple(map(composition.name_agents_stack, self.settings.agents))
        if self.world.is_on_machine or jobs_place.is_job():
            return wished
        prefix = self.settings.name_stack("")
        existing = stack.list_names(self.world.aws("cloudformation"), f"{prefix}{composition.AGENTS}")
        return tuple(dict.fromkeys((*wished, *(name.removeprefix(prefix) for name in existing))))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The short names of the environment's stacks, in the order in which they are made."""
        return composition.list_wanted_stacks(self.settings)

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close tunnels and connections."""
        self._exits.close()
        self.world.close()

    def take_over(self, other: Context) -> None:
        """What another context of this environment has read of the checkout, or loaded, need not be read again."""
        for name in ("lock", "casc_files", "jobset"):
            if name in other.__dict__:
                self.__dict__[name] = other.__dict__[name]
        self.distribution = other.distribution

    def forget(self) -> None:
        """Look everything up afresh: something changed it."""
        for name in ("stacks", "foreign_stacks", "_existing", "_agents_stacks", "machine", "controller", "jenkins"):
            self.__dict__.pop(name, None)

    @cached_property
    def stacks(self) -> Mapping[str, Stack]:
        """The environment's stacks that exist, by their short names; StackFailed if one that it needs is another one's."""
        for name in self.wanted:
            if name in self.foreign_stacks:
                raise composition.refuse_foreign(self.settings, self.foreign_stacks[name])
        return {name: it for name, it in self._existing.items() if name not in self.foreign_stacks}

    @cached_property
    def foreign_stacks(self) -> Mapping[str, Stack]:
        """Stacks that have names of this environment, and belong to another one (or to nobody), by the short names here."""
        return {
            name: it for name, it in self._existing.items() if not composition.belongs(self.settings, name, it.tags)
        }

    @cached_property
    def _existing(self) -> Mapping[str, Stack]:
        client = self.world.aws("cloudformation")
        found = {name: stack.read(client, self.settings.name_stack(name)) for name in self.stack_order}
        return {name: it for name, it in found.items() if it is not None}

    def outputs(self, name: str) -> Mapping[str, str]:
        """The outputs of one stack; StackMissing where it does not exist."""
        if name not in self.stacks or not self.stacks[name].outputs:
            raise StackMissing(
                f"reading the outputs of {self.settings.name_stack(name)}",
                "the stack does not exist, or its creation did not finish",
                f"Run: ./bootstrap.py --environment {self.settings.name} launch",
            )
        return self.stacks[name].outputs

    @cached_property
    def machine(self) -> Machine:
        """The machine; Unreachable where its instance does not run."""
        outputs, data = self.outputs("controller"), self.outputs("data")
        machine = machines.find(self.world.aws, outputs, data, needs_login=not self.world.is_on_machine)
        if machine is None:
            state = machines.read_state(self.world.aws("ec2"), outputs["InstanceId"])
            raise Unreachable(
                f"looking for the machine of '{self.settings.name}'",
                f"the instance {outputs['InstanceId']} is {state}",
                f"Run: ./bootstrap.py --environment {self.settings.name} launch",
            )
        return self.world.add_login(machine)

    @property
    def bastion(self) -> Machine:
        """The machine to come through; Unreachable where it does not run (yet)."""
        wished, outputs = self.settings.network.bastion, self.outputs("bastion")
        # On this machine addresses are those of the networks that the subnets became; nothing has a public one.
        by_public = wished is not None and bool(wished.allow) and self.world.endpoint is None
        user = wished.user if wished is not None else machines.LOGIN_USER
        machine = machines.find_bastion(
            self.world.aws, outputs["BastionGroupName"], user, self.outputs("data"), by_public=by_public
        )
        if machine is None:
            raise Unreachable(
                f"looking for the bastion of '{self.settings.name}'",
                "its instance does not run, or its console has no host key yet",
                "Wait a few minutes: its Auto Scaling group replaces it. If it has no stack, 'launch' creates it.",
            )
        return machine

    @property
    def shell(self) -> Shell:
        """The one connection to the machine."""
        return self.world.open_shell(self.machine)

    def secret(self, output: str) -> Secret:
        """One of the data stack's secrets, by the output that names it."""
        return read_secret(self.world.aws("secretsmanager"), self.outputs("data")[output])

    @cached_property
    def lock(self) -> Lock:
        """The Jenkins distribution that this checkout names: the project's own lock, else the toolkit's."""
        path = folders.find("jenkins.lock.yaml")
        return replace(load_lock(path), is_toolkits=folders.is_apart() and path.parent == ROOT)

    @property
    def url(self) -> str:
        """Where users open Jenkins: the settings' URL, the name in the public hosted zone, or the machine's own address.

        The private hosted zone's name is none of these: who comes from outside of the VPC cannot look it up.
        """
        if self.settings.jenkins.url or self.settings.network.public_zone is None:
            return self.settings.jenkins.url or f"https://{self.machine.address}/"
        return f"https://{self.settings.names[0]}/"

    @cached_property
    def controller(self) -> Controller:
        """The controller as the toolkit reaches it."""
        certificates = read_certificates(self.world.aws("secretsmanager"), self.outputs("data")["CertificatesSecret"])
        told = json.loads(self.shell.run(jobs_place.READ_MACHINE, check=False).stdout or "{}")
        software = told.get("software", {})
        return Controller(
            url=self.url,
            user=TOOLKIT_USER,
            password=self.secret("ToolkitPasswordSecret"),
            token=Secret("11" + self.secret("ToolkitTokenSecret").reveal()),
            version=software.get("version", "unknown"),
            is_emulated=software.get("kind") == "emulator",
            authority=certificates.authority_pem if certificates else "",
        )

    @cached_property
    def jenkins(self) -> jenkins.Jenkins:
        """A python-jenkins client through the shell's tunnel, open for as long as this context is."""
        return self._exits.enter_context(self.world.open_jenkins(self.shell, self.controller))

    @cached_property
    def casc_files(self) -> Mapping[str, str]:
        """The Configuration as Code files of this checkout, with people, provider and agents. Broken ones are refused here."""
        files = people.add_people(sign_in.put_in(self._code, self.settings.provider), self.settings.people)
        return fleets.add_credentials(files, self.settings.agents)

    @property
    def first_casc_files(self) -> Mapping[str, str]:
        """The files for the first start: without a provider, so that the toolkit signs in to get its API token."""
        is_elsewhere = self.settings.provider is not None
        return fleets.add_credentials(self._code, self.settings.agents) if is_elsewhere else self.casc_files

    @cached_property
    def _code(self) -> Mapping[str, str]:
        known, own = casc.list_known_variables(self.settings), folders.find_own_folder("casc")
        files = casc.read(ROOT / "casc", known, self.settings.jenkins.secrets, own)
        return agents.remove_machine(files, self.settings.agents)

    @property
    def casc_values(self) -> dict[str, str]:
        """The values of the variables that these files use."""
        mail_host = self.world.choose_mail_host(self.outputs("network")["ControllerSubnetId"])
        return casc.make_variables(self.settings, self.url, mail_host)

    @cached_property
    def jobset(self) -> JobSet:
        """The jobs of this checkout, rendered."""
        from bootstrap.jenkins.definitions import remembered

        variables = casc_variables.Variables((), casc.list_known_variables(self.settings))
        known = agents.read(self.casc_files, variables, self.settings.agents)
        own = folders.find_own_folder("jobs")
        memory = folders.PROJECT / ".bootstrap" / "rendered"
        return remembered.render(memory, ROOT / "jobs", self.make_job_variables(), self.lock.plugins, known, own)

    def make_job_variables(self) -> dict[str, str]:
        """What the job definitions take from the environment."""
        repository = self.settings.repository
        return {
            "repository": repository.url or f"file://{REPOSITORY}",
            "branch": repository.branch,
            "pipelines": folders.name_toolkit_path("jobs/pipelines"),
        }

    def make_tags(self, commit: str, run_id: str) -> dict[str, str]:
        """The tags that every resource carries: the toolkit's seven, and those of the environment file."""
        own = {
            "Project": self.settings.project,
            "Environment": self.settings.name,
            "Owner": self.settings.owner,
            "CostCenter": self.settings.cost_center,
            "ManagedBy": "jenkins-bootstrap",
            "Commit": commit,
            "Run": run_id,
        }
        return {**self.settings.tags, **own}


def open_context(environment_file: Path) -> Context:
    """Open an environment through the AWS that this process's variables name, as the machine and child processes do."""
    return Context(environment_file, environments.load(environment_file), os.environ.get("AWS_ENDPOINT_URL"))


def find_named_file(name: str, kind: str = "environment") -> Path:
    """The environment or account file of that name, or the path itself; UsageError where it is neither."""
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        found = f"'{name}' is neither the name of an {kind} nor a .yaml file"
        raise UsageError("reading the command line", found, f"Use a name under {kind}s/, or the path of a file.")
    return PROJECT / f"{kind}s" / f"{name}.yaml"
