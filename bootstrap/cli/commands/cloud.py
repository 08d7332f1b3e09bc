"""`cloud`: how other programs reach the local cloud."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.environment.models import Settings


def credentials(options: argparse.Namespace) -> int:
    """Print the operator's keys as lines for a shell, or write them as a profile of the AWS CLI."""
    from bootstrap import context
    from bootstrap.cloud import profiles
    from bootstrap.environment import settings
    from bootstrap.runs import terminal

    chosen = settings.load(context.find_named_file(options.environment))
    variables = _make_variables(chosen)
    if options.profile:
        written = profiles.write(options.profile, variables)
        terminal.write(f"the profile '{options.profile}' is written: {', '.join(map(str, written))}\n")
    elif options.json:
        terminal.write_json(variables)
    else:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        terminal.write("\n".join([*lines, "unset AWS_SESSION_TOKEN AWS_PROFILE", ""]))
    return 0


def _make_variables(chosen: Settings) -> dict[str, str]:
    """What botocore reads; UsageError for an environment on AWS, StackMissing where nothing was launched."""
    from bootstrap.cloud import local_control
    from bootstrap.context import PROJECT
    from bootstrap.errors import StackMissing, UsageError
    from bootstrap.local.cloud import LocalCloud
    from bootstrap.runs import state_folder

    doing = f"looking for the keys of the cloud of '{chosen.name}'"
    if chosen.cloud != "local":
        remedy = "Other programs reach AWS as always: AWS_PROFILE, or 'aws configure sso'."
        raise UsageError(doing, f"'{chosen.name}' is launched on AWS", remedy)
    state_folder.require_access(PROJECT / ".bootstrap", chosen.name)
    cloud = LocalCloud(chosen, PROJECT / ".bootstrap" / chosen.name / "cloud")
    keys = local_control.read_keys(cloud.endpoint, cloud.state)
    if keys is None:
        remedy = f"Run as root, as the launch was: ./bootstrap.py --environment {chosen.name} launch"
        raise StackMissing(doing, f"{cloud.state} has none that this user may read", remedy)
    return {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_REGION": chosen.region,
        "AWS_DEFAULT_REGION": chosen.region,
    }


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("credentials",), help="credentials: the operator's keys, for other programs")
    parser.add_argument("--profile", metavar="NAME", help="write them as a profile of this name into ~/.aws instead")


COMMANDS = (
    Command(
        "cloud",
        155,
        "the keys with which other programs reach the local cloud",
        credentials,
        (
            ("cloud credentials", 'lines for a shell: eval "$(./bootstrap.py cloud credentials)"'),
            ("cloud credentials --profile local", "a profile for: aws --profile local"),
        ),
        _add_arguments,
    ),
)
