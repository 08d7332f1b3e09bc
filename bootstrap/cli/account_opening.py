"""Opening an account for a command: its file, and the environment by which it is reached."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bootstrap.acts.account_standing import OpenedAccount
from bootstrap.cli import environment_opening
from bootstrap.context import Context, find_named_file
from bootstrap.environment import account_file, settings
from bootstrap.environment.account_file import AccountSettings
from bootstrap.errors import SettingsInvalid, UsageError

if TYPE_CHECKING:
    from bootstrap.runs.journal import Run


@contextlib.contextmanager
def open_account(options: argparse.Namespace, **opening: Any) -> Iterator[tuple[OpenedAccount, Run]]:
    """Open the account that the options name; `opening` is what `open_environment` takes.

    Everything that people wrote is read before anything is touched. SettingsInvalid if the credentials are another account's.
    """
    path = find_named_file(options.account, "account")
    read = account_file.load(path)
    _refuse_other_environment(options, read)
    options.environment = str(account_file.find_environment_file(path, read))
    with environment_opening.open_environment(options, **opening) as (context, run):
        account = _make_account(read, context, run)
        if read.account_id is not None and account.account_id != read.account_id:
            faults = settings.place_faults(
                path, [(("account_id",), f"account_id: the credentials are of the account {account.account_id}")]
            )
            remedy = "Use credentials of this account (AWS_PROFILE), or correct the file. Nothing was changed."
            raise SettingsInvalid(f"opening the account '{read.name}'", faults, remedy)
        yield account, run


def _refuse_other_environment(options: argparse.Namespace, read: AccountSettings) -> None:
    """The account file says by which environment it is reached; a command line that says otherwise means another account."""
    given = options.environment
    if given not in {os.environ.get("BOOTSTRAP_ENVIRONMENT", "local"), read.environment}:
        found = f"the account '{read.name}' is reached by the environment '{read.environment}', not by '{given}'"
        remedy = "Leave out --environment, and name the account: account plan NAME."
        raise UsageError("reading the command line", found, remedy)


def _make_account(read: AccountSettings, context: Context, run: Run) -> OpenedAccount:
    chosen = context.settings
    tags = dict(context.make_tags("none", run.run_id))
    # The stack belongs to no environment: those that are destroyed must not find it among what they left.
    del tags["Environment"], tags["Commit"]
    return OpenedAccount(read, chosen.project, chosen.region, context.world.aws, tags)
