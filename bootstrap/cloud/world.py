"""Makes the connections to the outside: AWS clients, a shell on a machine, a Jenkins client.

For the local cloud only the endpoint differs; no act asks which cloud it is. On the machine itself (where jobs run the toolkit)
the shell is a local one and Jenkins is reached directly. On an agent that runs these jobs, the shell is one by SSH.
"""

from __future__ import annotations

import ipaddress
import os
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.cloud import jobs_place, local_control, promotion
from bootstrap.environment.models import Settings
from bootstrap.values import Controller, Machine, Secret, Shell

if TYPE_CHECKING:
    import jenkins

    from bootstrap.cloud.lent_credentials import Lender
    from bootstrap.remote.shell import FabricShell

_AGENT = 600.0  # seconds; at its first boot a machine downloads, checks and starts the agent of Session Manager
_NO_AGENT = (
    "Check that the machine's agent runs. Its console has the output of the installation: aws ec2 get-console-output --latest; "
    "'aws ssm describe-instance-information' lists the agents that reported."
)
_NO_DOOR = "Check with './bootstrap.py status' that the machine runs; './bootstrap.py launch' lets the agents in again."
_NO_JUMP = "Check that the bastion runs, and that network.bastion.allow contains this machine's address."


class World:
    """The connections of one environment.

    `endpoint` is the URL of the local cloud, or None for AWS. `from_subnet` returns, for the block of a subnet, the variables
    that a machine there needs in addition to the region to reach the same cloud; none on AWS. `bastion` finds the bastion, if
    SSH goes through one. `cloud` is the folder of the local cloud, with its operator's keys.
    """

    def __init__(
        self,
        settings: Settings,
        endpoint: str | None = None,
        from_subnet: Callable[[str], Mapping[str, str]] | None = None,
        bastion: Callable[[], Machine] | None = None,
        cloud: Path | None = None,
    ) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self._from_subnet = from_subnet or (lambda _: {})
        self._clients: dict[str, Any] = {}
        self._shells: dict[str, Shell] = {}
        self._bastion = bastion
        self._cloud = cloud
        self._jumping: FabricShell | None = None
        self._lender: Lender | None = None

    @cached_property
    def is_on_machine(self) -> bool:
        """Whether this process is a job of the environment: on its own machine, or on an agent with the role of these jobs."""
        return jobs_place.read_environment() == self.settings.name

    @cached_property
    def jobs_login(self) -> jobs_place.Login | None:
        """How this process logs in on the machine, if it is a job on an agent; else None."""
        return jobs_place.read_login() if self.is_on_machine else None

    def make_machine_environment(self, subnet_id: str) -> dict[str, str]:
        """The environment variables for botocore with which a machine in a subnet, and its builds, reach the same cloud."""
        subnet = self.aws("ec2").describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
        return {"AWS_REGION": self.settings.region} | dict(self._from_subnet(subnet["CidrBlock"]))

    def choose_mail_host(self, subnet_id: str) -> str:
        """The mail server for a machine in a subnet: that of the settings, else the local cloud's, or the machine's own."""
        if self.settings.mail.smtp_host is not None or self.endpoint is None:
            return self.settings.mail.smtp_host or "localhost"
        subnet = self.aws("ec2").describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
        return str(ipaddress.ip_network(subnet["CidrBlock"])[1])  # the subnet's router

    @cached_property
    def _session(self) -> Any:
        import boto3

        keys: tuple[str, ...] | None = promotion.read_session(os.environ)
        # The operator of the local cloud has keys of its own there. A machine of that cloud has its role's, as on AWS.
        if keys is None and self._cloud:
            keys = local_control.read_keys(self.endpoint, self._cloud)
        session = boto3.session.Session(*(keys or ()), region_name=self.settings.region)
        _share_service_models(session)
        parse_times_quickly(session)
        if keys is None:
            _share_cache_of_assumed_roles(session)
        return session

    @property
    def control_token(self) -> str | None:
        """The token for control endpoints of the local cloud; None on AWS, or if this user has none."""
        return local_control.read_token(self.endpoint, self._cloud) if self._cloud else None

    @property
    def local_mail_password(self) -> Secret | None:
        """The password of the local cloud's mail server; None if mail goes elsewhere, and on the machine itself."""
        text = (
            self._cloud and self.settings.is_mail_kept and local_control.read_mail_password(self.endpoint, self._cloud)
        )
        return Secret(text) if text else None

    @property
    def local_mail_authority(self) -> str | None:
        """The certificate by which a machine trusts the local cloud's mail server; None as above."""
        if self._cloud is None or not self.settings.is_mail_kept:
            return None
        return local_control.read_mail_authority(self.endpoint, self._cloud)

    def aws(self, service: str) -> Any:
        """The boto3 client of one service; it is made once.

        On AWS it makes up to 10 attempts and slows down when AWS throttles. On the local cloud it makes at most 4, because that
        cloud does not throttle: more attempts would not help.
        """
        from botocore.config import Config

        if service not in self._clients:
            on_aws = {"mode": "adaptive", "total_max_attempts": 10}
            on_local_cloud = {"mode": "standard", "total_max_attempts": 4}
            retries: Any = on_aws if self.endpoint is None else on_local_cloud
            config = Config(retries=retries, connect_timeout=10, read_timeout=60)
            client = self._session.client(service, endpoint_url=self.endpoint, config=config)
            if service == "s3control" and self.endpoint is not None:
                client.meta.events.register("before-sign.s3-control", self._take_account_from_host)
            self._clients[service] = client
        return self._clients[service]

    def _take_account_from_host(self, request: Any, **_: Any) -> None:
        """Send a request to the endpoint itself: botocore puts the account before the host, also where that is an address."""
        parts = urllib.parse.urlsplit(request.url)
        request.url = f"{self.endpoint}{parts.path}{f'?{parts.query}' if parts.query else ''}"

    def make_signer(self, endpoint: str | None) -> Any:
        """A client of S3 that signs addresses for a machine, which reaches the cloud by `endpoint`; None is AWS itself.

        On AWS the address has the name of the region: only so it leads through the gateway endpoint of that region.
        """
        from botocore.config import Config

        names: Any = {"addressing_style": "virtual" if endpoint is None else "path"}
        names |= {"us_east_1_regional_endpoint": "regional"}
        config = Config(signature_version="s3v4", s3=names)
        return self._session.client("s3", endpoint_url=endpoint or self.endpoint, config=config)

    def add_login(self, machine: Machine) -> Machine:
        """The machine with the login of this agent, if it runs the toolkit's jobs; else the machine as it is."""
        login = self.jobs_login
        if login is None:
            return machine
        return replace(machine, user=login.user, private_key=login.private_key, host_keys=login.host_keys)

    def open_shell(self, machine: Machine) -> Shell:
        """The connection to a machine, opened at its first use and kept; there is one for each machine."""
        connection = self._shells.get(machine.instance_id)
        if connection is None:
            connection = self._shells[machine.instance_id] = self._open_shell(machine)
        return connection

    def _open_shell(self, machine: Machine) -> Shell:
        if self.is_on_machine and self.jobs_login is None:
            from bootstrap.remote.local_shell import LocalShell

            return LocalShell()
        from bootstrap.remote.shell import FabricShell

        if self.jobs_login is not None:
            return FabricShell(machine, remedy=_NO_DOOR)
        match self.settings.ssh:
            case "direct":
                return FabricShell(machine)
            case "session-manager":
                return FabricShell(machine, patience=_AGENT, dial=self.dial(machine), remedy=_NO_AGENT)
            case _:
                return FabricShell(machine, dial=self.dial(machine), remedy=_NO_JUMP)

    def dial(self, machine: Machine) -> Callable[[], Any] | None:
        """The function that opens a stream to the machine's sshd; None if SSH connects to its address directly."""
        match self.settings.ssh:
            case "direct":
                return None
            case "session-manager":
                return lambda: self._find_managed(machine)
            case _:
                return lambda: self._open_jump().open_stream(machine.address, machine.port)

    def _find_managed(self, machine: Machine) -> Any:
        from bootstrap.cloud import session_manager
        from bootstrap.cloud.lent_credentials import Lender

        credentials = self._session.get_credentials()
        if self._lender is None:
            self._lender = Lender(credentials)
        return session_manager.open_session(
            self.aws("ssm"), credentials, self._lender, machine.instance_id, machine.port
        )

    def _open_jump(self) -> FabricShell:
        """The connection to the bastion: to its address if it accepts SSH from outside, else through Session Manager."""
        from bootstrap.remote.shell import FabricShell

        if self._jumping is None:
            if self._bastion is None:
                raise LookupError("this environment has no bastion")
            machine = self._bastion()
            by_address = bool(self.settings.network.bastion and self.settings.network.bastion.allow)
            dial = None if by_address else lambda: self._find_managed(machine)
            self._jumping = FabricShell(machine, dial=dial, remedy=_NO_JUMP)
        return self._jumping

    @contextmanager
    def open_jenkins(self, shell: Shell, controller: Controller) -> Iterator[jenkins.Jenkins]:
        """A python-jenkins client; it reaches the controller through SSH, at the loopback address of the machine."""
        import jenkins

        with shell.forward(controller.port) as port:
            url = f"http://127.0.0.1:{port}/"
            yield jenkins.Jenkins(url, controller.user, controller.token.reveal(), timeout=60)

    def close(self) -> None:
        """Close every connection."""
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()
        if self._jumping is not None:
            self._jumping.close()
            self._jumping = None
        if self._lender is not None:
            self._lender.close()
            self._lender = None


_LOADERS: dict[str, Any] = {}  # botocore's loaders of service models, by the folders that they search


def _share_service_models(session: Any) -> None:
    """Load each service's model once in this process, not once for each opened environment: EC2's takes half a second."""
    core = session._session
    searched = str(core.get_config_variable("data_path"))
    core.register_component("data_loader", _LOADERS.setdefault(searched, core.get_component("data_loader")))


def parse_times_quickly(session: Any) -> None:
    """Parse the times in answers by the standard library where they are in ISO's form.

    botocore's general parser took about a quarter of the toolkit's processor time in a stack operation, whose events it polls.
    """
    from botocore.utils import parse_timestamp

    def parse(value: Any) -> Any:
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):  # a number, or the form of HTTP's headers
            return parse_timestamp(value)
        return moment if moment.tzinfo is not None else parse_timestamp(value)

    session._session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)


def _share_cache_of_assumed_roles(session: Any) -> None:
    """Use the AWS CLI's cache of assumed roles, so that a user who entered a one-time code an hour ago is not asked again.

    The acceptance suite runs in a process of its own, in which the user could not see the question.
    """
    from botocore.utils import JSONFileCache

    provider = session._session.get_component("credential_provider").get_provider("assume-role")
    provider.cache = JSONFileCache(str(Path("~/.aws/cli/cache").expanduser()))
