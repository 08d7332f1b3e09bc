"""A controller, an Auto Scaling group for its builds, and the settings that join them."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.contract.cloud_agents import Cloud

TIMEOUT = "-Dorg.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis=4000"
PROVISIONER = "-Dhudson.slaves.NodeProvisioner."
FLEET = "com.amazon.jenkins.ec2fleet."


class Trial:
    """A controller, its group, and the settings that join them."""

    def __init__(self, cloud: Cloud, service: Any, connect: Callable[[Any], Any]) -> None:
        self.cloud, self.service, self._connect = cloud, service, connect
        self.server: Any = None

    def start(self) -> None:
        self.service.start()
        self.server = self._connect(self.service)

    def apply(self, **changed: Any) -> Any:
        return self.server.post("configuration-as-code/apply", data=self.cloud.render(**changed))

    def restart(self, number: int = signal.SIGTERM) -> None:
        self.service.stop(number)
        self.start()

    def console(self, name: str, number: int) -> str:
        return str(self.server.client.get_build_console_output(name, number))

    def await_line(self, name: str, number: int, line: str) -> None:
        self.server.until(lambda: line in self.console(name, number), 60)

    def nodes(self) -> dict[str, dict[str, Any]]:
        listed = self.server.get("computer/api/json").json()["computer"]
        return {each["displayName"]: each for each in listed if each["_class"] == f"{FLEET}EC2FleetNodeComputer"}

    def log(self, instance: str) -> str:
        return str(self.server.get(f"computer/{instance}/logText/progressiveText").text)


def prepare(service: Any, cloud: Cloud) -> None:
    """Give a controller that is not started yet the credentials, the door to the cloud and the times of a trial."""
    service.variables |= cloud.variables(service.root)
    service.arguments += [TIMEOUT, f"{PROVISIONER}initialDelay=0", f"{PROVISIONER}recurrencePeriod=300"]
    settings = yaml.safe_load((service.casc / "20-credentials.yaml").read_text())
    own = yaml.safe_load(cloud.render_credential())
    listed = settings["credentials"]["system"]["domainCredentials"][0]["credentials"]
    listed += own["credentials"]["system"]["domainCredentials"][0]["credentials"]
    (service.casc / "20-credentials.yaml").write_text(yaml.safe_dump(settings))
