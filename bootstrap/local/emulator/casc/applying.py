"""Applies a configuration: reads its sources, checks it, and changes the settings of the home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..failures import ConfigurationRefused, Issue
from ..model.configuration import Configuration, dig
from ..model.credentials import read_credentials
from ..model.home import Home
from ..model.security import Authorization
from . import clouds, effects, stored_settings
from .check import Checker, Warned
from .faults import Fault
from .permissions import read_matrix
from .sources import Node, merge, parse, read_files, read_sources, read_strategy
from .variables import Variables


@dataclass(frozen=True)
class Prepared:
    """A configuration that was checked: `named_clouds` is the attribute `clouds` of it, None if it does not name any."""

    tree: Node
    checked: dict[str, Any]
    warned: list[Warned]
    warnings: list[str]
    named_clouds: Node | None


# What a check takes as Jenkins does, and what nothing here can do.
_LACKING = {
    ("items", "items"): "makes no jobs from the settings",
    ("jenkins", "authorizationStrategy", "legacy"): "has no authorization strategy legacy",
}
_REALMS = frozenset({"local", "none"})  # those that the emulator has; any other one would let nobody in, or everybody


def load(home: Home) -> None:
    """Load the settings that were stored when Jenkins ended."""
    home.configuration = Configuration(stored_settings.load(home.directory, home.vault))


def save(home: Home) -> None:
    """Write all settings to the home."""
    stored_settings.save(home.directory, home.configuration.tree, home.vault)
    home.save()


def _make_checker(home: Home) -> tuple[Checker, Variables]:
    variables = Variables(home.options.variables, home.options.arguments.properties)
    return Checker(home.options.plugins, variables), variables


def read_text(text: str, source: str) -> Node:
    """Parse one posted text."""
    return parse(text, source)


def read_source(home: Home, configured: str) -> Node:
    """Parse the files of a new source."""
    return read_files(configured, home.options.variables)


def check(home: Home, prepared: Prepared) -> list[Warned]:
    """Finish a check that found no fault; as in Jenkins, it has effects."""
    effects.apply(prepared.checked, home.directory, home.users, home.vault.seal)
    return prepared.warned


def read(home: Home, extra: str = "", source: str = "") -> Node:
    """The configuration of all sources, and of a posted text after them."""
    variables = home.options.variables
    tree = read_sources(variables, home.directory)
    if not extra:
        return tree
    posted = parse(extra, source)
    return merge(tree, posted, read_strategy(variables)) if tree.value else posted


def prepare(home: Home, tree: Node) -> Prepared:
    """Check a configuration; ConfigurationRefused with its first fault. Nothing is changed."""
    checker, variables = _make_checker(home)
    checked = checker.check(tree)
    named = clouds.complete(checked, tree)
    plugins = ", ".join(checker.unrecorded_plugins)
    unjudged = [
        f"The emulator has no record of the settings of the plugins {plugins}: it takes '{name}' as it stands"
        for name in checker.unjudged
    ]
    warned = sorted(checker.warned.values(), key=lambda warned: warned.line)
    return Prepared(tree, checked, warned, [*variables.warnings, *unjudged], named)


def apply(home: Home, prepared: Prepared) -> None:
    """Apply a prepared configuration to the present settings. A refusal changes nothing.

    What Jenkins finds only when it sets a value is refused after everything else was applied.
    """
    checked = prepared.checked
    require_modelled(checked)
    late = _take_unfit(checked, prepared.tree)
    home.configuration = Configuration(stored_settings.merge_over(home.configuration.tree, checked))
    strategy = home.configuration.read("jenkins", "authorizationStrategy")
    if strategy:
        ((name, settings),) = strategy.items()
        home.authorization = Authorization(name, _read_matrix(name, settings))
    effects.apply(home.configuration.tree, home.directory, home.users, home.vault.seal)
    system = home.configuration.read("credentials", "system", "domainCredentials")
    if system is not None:
        home.credentials.replace(read_credentials(system))
    home.apply_views()
    save(home)
    if late is not None:
        raise late


def require_modelled(checked: Mapping[str, Any]) -> None:
    """ConfigurationRefused in the name of the emulator for what a check takes as Jenkins does, and what it cannot do."""
    realms = set(dig(checked, "jenkins", "securityRealm") or ()) - _REALMS
    of_realms = {("jenkins", "securityRealm", name): f"has no security realm {name}" for name in sorted(realms)}
    for path, words in (_LACKING | of_realms).items():
        if path in of_realms or dig(checked, *path):
            message = f"The emulator of Jenkins {words} ({'.'.join(path)}); a real Jenkins would take this"
            raise ConfigurationRefused([Issue(-1, message)])


def _take_unfit(checked: dict[str, Any], tree: Node) -> ConfigurationRefused | None:
    """Take out what no check finds and what Jenkins does not set; its refusal."""
    executors = dig(checked, "jenkins", "numExecutors")
    if executors is None or executors >= 0:
        return None
    del checked["jenkins"]["numExecutors"]
    cause = f"java.lang.IllegalArgumentException: numExecutors must be non-negative: {executors}"
    fault = Fault("Failed to set attribute 'numExecutors'", "jenkins", cause=cause)
    root = next(node for key, node in tree.value.items() if key.lower() == "jenkins")
    node = next(node for key, node in root.value.items() if key.lower() == "numexecutors")
    return fault.add_place(node, "numExecutors").refuse()


def _read_matrix(strategy: str, settings: Any) -> Any:
    if strategy in {"globalMatrix", "projectMatrix"}:
        return read_matrix(settings)
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
