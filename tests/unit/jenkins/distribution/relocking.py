"""A project with a lock and its requests, and `jenkins lock` run on it."""

from pathlib import Path

import pytest

from bootstrap.cli import parser
from bootstrap.cli.commands import find_commands
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.distribution import load_lock, needs
from tests.unit.jenkins.distribution.authority import Center


class Project:
    """A checkout with the tests' lock, in which the command runs."""

    def __init__(self, folder: Path, center: Center, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.center = center
        self._capsys = capsys
        self.lock_file = folder / "jenkins.lock.yaml"
        self.needs_file = folder / needs.NAME
        self.source = f"{{source: mirror, mirror: '{center.mirror.url}'}}"

    def run(self, *arguments: str) -> int:
        environment = self.folder / "trial.yaml"
        environment.write_text(f"environment: trial\ncloud: local\nowner: a\ncost_center: b\njenkins: {self.source}\n")
        return find_commands()["jenkins"].run(parser.parse(["-e", str(environment), "jenkins", "lock", *arguments]))

    def refuse(self, *arguments: str) -> BootstrapError:
        """Run the command, which must fail and change nothing."""
        before = self.texts()
        with pytest.raises(BootstrapError) as raised:
            self.run(*arguments)
        assert before == self.texts()
        return raised.value

    def texts(self) -> tuple[str, str]:
        return self.lock_file.read_text(), self.needs_file.read_text()

    def output(self) -> str:
        return self._capsys.readouterr().out

    def versions(self) -> dict[str, str]:
        return load_lock(self.lock_file).plugins


def check(project: Project) -> None:
    """What holds after every run: the lock is closed, has every checksum, and its table knows every plugin."""
    lock, table = load_lock(project.lock_file), needs.load_table(project.needs_file)
    assert [] == list(needs.find_faults(lock, table))
    assert {} == needs.find_unjudged(lock, table)
    assert () == lock.without_checksum
    assert lock.core.sha256 is not None
    assert 0 == project.run("--check")
