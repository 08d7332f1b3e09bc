"""Reads the environment's own secrets (`jenkins.secrets`, `mail.password`) from Secrets Manager and Parameter Store.

Only their names are in the environment file. Whoever launches reads the values, and the host act puts them where systemd hands
them to Jenkins; the role of the machine needs no right for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.acts import casc
from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.environment.models import SMTP_PASSWORD
from bootstrap.environment.sections import OwnSecret
from bootstrap.errors import AwsRefused, SettingsInvalid
from bootstrap.jenkins.definitions import fleets
from bootstrap.values import Secret

Found = tuple[tuple[str | int, ...], str]
_REMEDY = (
    "Create it in the region of the environment, or correct the name. 'doctor --policy' prints what the launcher must be "
    "allowed to read; a secret with a KMS key of its own also needs kms:Decrypt for that key."
)


def read(context: Context) -> dict[str, Secret]:
    """The values by their names; SettingsInvalid with a fault for each that cannot be read.

    The password of the local cloud's mail server is one of them: it is in no service of AWS.
    """
    values, faults = _read_secrets(context)
    if faults:
        doing = f"reading the secrets of '{context.settings.name}'"
        raise SettingsInvalid(doing, environments.place_faults(context.environment_file, faults), _REMEDY)
    password = context.world.local_mail_password
    return values | ({SMTP_PASSWORD: password} if password else {})


def find_removed(context: Context) -> tuple[str, ...]:
    """Names of variables that the settings on the machine use, and that this environment no longer has."""
    command = ["grep", "-rhoE", r"\$\{[A-Z][A-Z0-9_]*", casc.FOLDER]
    used = {line.removeprefix("${") for line in context.shell.run(command, check=False).stdout.split()}
    of_agents = fleets.list_secret_names(context.settings.agents)
    return tuple(sorted(used - {*casc.SECRETS, *casc.VARIABLES, *context.settings.jenkins.secrets, *of_agents}))


def find_faults(context: Context) -> Iterator[Found]:
    """A fault for each secret that cannot be read; none on the machine, whose jobs read none of them."""
    if not context.world.is_on_machine:
        yield from _read_secrets(context)[1]


def _read_secrets(context: Context) -> tuple[dict[str, Secret], list[Found]]:
    values: dict[str, Secret] = {}
    faults: list[Found] = []
    for key, source in context.settings.own_secrets.items():
        name = SMTP_PASSWORD if key == ("mail", "password") else key[-1]
        place = (*key, "parameter" if source.secret is None else "secret")
        try:
            with refusals.convert_errors(f"reading the secret {name}"):
                text = _read(context, source)
        except AwsRefused as error:
            faults.append((place, f"cannot be read: {error.found} Create it in this region, or correct the name."))
            continue
        if text is None:
            faults.append((place, "is binary; Jenkins' settings take text only"))
        else:
            values[name] = Secret(text)
    return values, faults


def _read(context: Context, source: OwnSecret) -> str | None:
    """The text of a secret; None if it is binary."""
    if source.secret is not None:
        answer = context.world.aws("secretsmanager").get_secret_value(SecretId=source.secret)
        return str(answer["SecretString"]) if "SecretString" in answer else None
    answer = context.world.aws("ssm").get_parameter(Name=source.parameter, WithDecryption=True)
    return str(answer["Parameter"]["Value"])
