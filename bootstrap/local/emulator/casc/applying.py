"""Applies a configuration: reads its sources, checks it, and changes the settings of the home."""

from __future__ import annotations

from typing import Any

from ..model.configuration import Configuration
from ..model.credentials import read_credentials
from ..model.home import Home
from ..model.security import Authorization
from . import effects, stored_settings
from .check import Checker
from .sources import Node, merge, parse, read_sources, strategy_of
from .variables import Variables


def load(home: Home) -> None:
    """Load the settings that were stored when Jenkins ended."""
    home.configuration = Configuration(stored_settings.load(home.directory, home.vault))


def save(home: Home) -> None:
    """Write all settings to the home."""
    stored_settings.save(home.directory, home.configuration.tree, home.vault)
    home.save()


def check(home: Home, text: str, source: str) -> None:
    """Check only one posted text; ConfigurationRefused with every fault. As in Jenkins, that has effects."""
    variables = Variables(home.options.variables)
    checked = Checker(home.options.plugins, variables).check(parse(text, source))
    effects.apply(checked, home.directory, home.users, home.vault.seal)


def read(home: Home, extra: str = "", source: str = "") -> Node:
    """The configuration of all sources, and of a posted text after them."""
    variables = home.options.variables
    tree = read_sources(variables, home.directory)
    return merge(tree, parse(extra, source), strategy_of(variables)) if extra else tree


def apply(home: Home, tree: Node) -> list[str]:
    """Check a whole configuration and apply it to the present settings; returns warnings. A refusal changes nothing."""
    variables = Variables(home.options.variables)
    checked = Checker(home.options.plugins, variables).check(tree)
    home.configuration = Configuration(stored_settings.merge_over(home.configuration.tree, checked))
    strategy = home.configuration.read("jenkins", "authorizationStrategy")
    if strategy:
        ((name, settings),) = strategy.items()
        home.authorization = Authorization(name, _matrix_of(name, settings))
    effects.apply(home.configuration.tree, home.directory, home.users, home.vault.seal)
    system = home.configuration.read("credentials", "system", "domainCredentials")
    if system is not None:
        home.credentials.replace(read_credentials(system))
    home.apply_views()
    save(home)
    return variables.warnings


def _matrix_of(strategy: str, settings: Any) -> Any:
    # Global roles mean the same as a matrix; item and agent roles have no effect here beyond that.
    if strategy != "roleBased":
        return settings
    entries = []
    for role in (settings.get("roles") or {}).get("global") or []:
        for member in role.get("entries") or []:
            for kind, name in member.items():
                entries.append(
                    {
                        {"either": "userOrGroup"}.get(kind, kind): {
                            "name": name,
                            "permissions": role.get("permissions") or [],
                        }
                    }
                )
    return {"entries": entries}
