"""The accounts of people in Jenkins' own user database, and those of people who are no longer in the environment file.

A reload of the settings makes accounts and removes none (Configuration as Code, HudsonPrivateSecurityRealmConfigurator). An
account of a person who is gone has no permission any more, but it could still sign in, and its API tokens stay. So it is
removed. It is known by its description, now or at the last reload, or by the record that stays with the data: the person
could change it. An account that somebody made by hand stays, and `drift` names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bootstrap.jenkins.controller import edits
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.jenkins.definitions.people import DESCRIPTION
from bootstrap.values import Change, ChangeKind


def read_accounts(exported: str) -> dict[str, str]:
    """The descriptions of all accounts in exported settings, by the ids of the accounts."""
    return list_accounts(edits.parse_settings(exported))


def list_accounts(settings: Mapping[str, Any]) -> dict[str, str]:
    """The same, of settings that were parsed already."""
    realm = settings.get("jenkins", {}).get("securityRealm")
    local = realm.get("local") if isinstance(realm, Mapping) else None
    users = local.get("users") if isinstance(local, Mapping) else None
    return {str(user["id"]): str(user.get("description") or "") for user in users or () if "id" in user}


def find_left(
    exported: str, recorded: str | None, users: Collection[str], made: Collection[str] = ()
) -> tuple[str, ...]:
    """The ids of the accounts of people who are gone.

    `exported` are the settings now, `recorded` those after the last reload, if they are known. `users` are the ids that the
    files have, `made` those of the accounts that the toolkit made (`account_record`), where they could be read.
    """
    return list_left(read_accounts(exported), read_accounts(recorded or ""), users, made)


def list_left(
    now: Mapping[str, str], before: Mapping[str, str], users: Collection[str], made: Collection[str] = ()
) -> tuple[str, ...]:
    """The same, by the descriptions of the accounts `now` and `before`."""
    named = {user.lower() for user in users}
    return tuple(
        name
        for name, description in now.items()
        if name.lower() not in named and (name in made or DESCRIPTION in {description, before.get(name, "")})
    )


def make_change(name: str) -> Change:
    """The removal of one account, for a plan or a report."""
    return Change("casc", ChangeKind.REMOVE, f"user {name}", "is not in 'people' any more: account and API tokens")


def remove(jenkins: JenkinsClient, name: str) -> None:
    """Remove an account with its API tokens; BootstrapError if Jenkins refuses. One that is gone already is no fault."""
    expect(ask(jenkins, "POST", f"user/{name}/doDelete"), f"removing the user {name} from Jenkins", 200, 302, 404)
