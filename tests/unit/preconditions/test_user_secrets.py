"""The environment's own secrets: which names the machine still uses, and what cannot be read."""

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.sections import OwnSecret
from bootstrap.preconditions import user_secrets
from bootstrap.values import Secret

SETTINGS = {"DEPLOY_TOKEN": OwnSecret(secret="team/deploy-token")}


class Shell:
    """A machine whose settings use these variables."""

    def __init__(self, output: str) -> None:
        self.output = output
        self.commands: list[list[str]] = []

    def run(self, command: list[str], *, check: bool) -> Any:
        assert not check  # before the first launch there is no folder
        self.commands.append(command)
        return SimpleNamespace(stdout=self.output)


def context(shell: Shell) -> Any:
    named = {("jenkins", "secrets", name): source for name, source in SETTINGS.items()}
    settings = SimpleNamespace(
        name="trial",
        jenkins=SimpleNamespace(secrets=SETTINGS),
        agents={"linux": AgentGroup()},
        own_secrets=named | {("mail", "password"): OwnSecret(secret="team/mail")},
    )
    return SimpleNamespace(shell=shell, settings=settings)


def test_names_that_the_machine_still_uses_are_found() -> None:
    used = "ADMIN_PASSWORD SMTP_HOST SMTP_PASSWORD DEPLOY_TOKEN MAIL_WORD MAIL_WORD AGENTS_LINUX_KEY AGENTS_OLD_KEY"
    shell = Shell("".join(f"${{{name}\n" for name in used.split()))

    assert ("AGENTS_OLD_KEY", "MAIL_WORD") == user_secrets.find_removed(context(shell))
    assert "/etc/jenkins/casc.d" in shell.commands[0]


def test_a_machine_without_settings_uses_none() -> None:
    assert () == user_secrets.find_removed(context(Shell("")))


def test_a_binary_secret_is_a_fault_with_its_place() -> None:
    client = SimpleNamespace(get_secret_value=lambda **_: {"SecretBinary": b"x"})
    made = context(Shell(""))
    made.world = SimpleNamespace(aws=lambda _: client, is_on_machine=False)

    (place, message), (of_mail, _) = user_secrets.find_faults(made)

    assert ("jenkins", "secrets", "DEPLOY_TOKEN", "secret") == place
    assert ("mail", "password", "secret") == of_mail
    assert "is binary" in message


@pytest.mark.parametrize("local", [None, Secret("made here")])
def test_the_password_of_the_mail_server_has_its_name_wherever_it_comes_from(local: Secret | None) -> None:
    made = context(Shell(""))
    client = SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": f"value of {SecretId}"})  # noqa: N803
    made.world = SimpleNamespace(aws=lambda _: client, is_on_machine=False, local_mail_password=local)

    values = {name: it.reveal() for name, it in user_secrets.read(made).items()}

    expected = "made here" if local else "value of team/mail"
    assert {"DEPLOY_TOKEN": "value of team/deploy-token", "SMTP_PASSWORD": expected} == values
