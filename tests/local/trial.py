"""The tests' own environment, as a user has it: a clone, its commands, and the context opened over it.

Two checkouts may run these tests on one machine at once when each has a name and a network of its own, for example
TRIAL=other:79 for the environment 'other' in 10.79.0.0/16.
"""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.jenkins.controller.api import ask, expect
from bootstrap.local.aws.access.keys import CREDENTIALS, read_operator_keys

NAME, _, _SECOND = os.environ.get("TRIAL", "trial:78").partition(":")
NETWORK = f"10.{_SECOND}.0.0/16"
ENVIRONMENT = f"""\
environment: {NAME}
cloud: local
owner: tests
cost_center: none
network:
  cidr: {NETWORK}
access:
  operator_cidrs: [{NETWORK}]
jenkins:
  source: official
  fallback: emulator
"""


@dataclass
class Launched:
    """A launched environment: its checkout, what the launch printed, and its opened context."""

    checkout: Path
    output: str = ""
    seconds: float = 0.0
    _contexts: list[Context] = field(default_factory=list)

    @property
    def environment_file(self) -> Path:
        return self.checkout / "environments" / f"{NAME}.yaml"

    @property
    def state(self) -> Path:
        return self.checkout / ".bootstrap" / NAME

    def run(self, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """One command of the toolkit, as a user types it; without a terminal."""
        command = ["./bootstrap.py", "-e", NAME, "--yes", *arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOOTSTRAP_"))}
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )

    def done(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        found = self.run(*arguments)
        assert 0 == found.returncode, f"{arguments}\n{found.stdout[-6000:]}\n{found.stderr[-4000:]}"
        return found.stdout

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{(self.state / 'cloud' / 'port').read_text()}"

    @property
    def variables(self) -> dict[str, str]:
        """Those with which other programs reach the AWS of this environment as its operator."""
        keys = read_operator_keys(self.state / "cloud" / CREDENTIALS)
        assert keys is not None
        named = {"AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key}
        return {"AWS_ENDPOINT_URL": self.endpoint, **named}

    @property
    def context(self) -> Context:
        """The environment, opened in this process."""
        if not self._contexts:
            from bootstrap.local.cloud import LocalCloud

            loaded = settings.load(self.environment_file)
            cloud = LocalCloud(loaded, self.state / "cloud")
            reached = (cloud.endpoint, cloud.make_machine_environment, cloud.state)
            self._contexts.append(Context(self.environment_file, loaded, *reached))
        return self._contexts[0]

    def edit_settings(self, settings: str) -> None:
        """Have Jenkins take these settings (Configuration as Code) as somebody's edit: no file has them."""
        path, kind = "configuration-as-code/apply", "application/x-yaml"
        expect(ask(self.context.jenkins, "POST", path, body=settings, content_type=kind), "editing the settings")

    def reopen(self) -> Context:
        """The environment opened afresh, after its machine was changed."""
        self.close()
        return self.context

    def close(self) -> None:
        """Close what was opened in this process."""
        while self._contexts:
            self._contexts.pop().close()


def commit(folder: Path, message: str) -> None:
    """Commit everything in a clone."""
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    subprocess.run(["git", "commit", "--quiet", "--allow-empty", "-m", message], cwd=folder, check=True)
