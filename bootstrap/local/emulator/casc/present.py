"""Collects what an export shows: the settings as they were set, and what Jenkins shows besides: accounts, labels, its URL."""

from __future__ import annotations

from typing import Any

from ..model.configuration import BUILT_IN
from ..model.home import Home
from ..model.security import User

# What every account shows although nobody set it.
_PROPERTIES: tuple[dict[str, Any], ...] = (
    {"apiToken": {}},
    {"consoleUrlProvider": {}},
    {"viewsTabBar": {}},
    {"myView": {"viewsTabBar": {"standard": {}}}},
    {"preferredProvider": {"providerId": "default"}},
    {"timezone": {}},
    {"experimentalFlags": {}},
)


def collect_settings(home: Home) -> dict[str, Any]:
    """The tree of all settings that differ from the defaults, or that are made by use."""
    tree = dict(home.configuration.tree)
    tree["jenkins"] = _collect_jenkins(home, tree.get("jenkins", {}))
    unclassified = tree.get("unclassified", {})
    place = {"adminAddress": home.configuration.admin_address, "url": home.url}
    tree["unclassified"] = {**unclassified, "location": {**unclassified.get("location", {}), **place}}
    system = (tree.get("credentials") or {}).get("system") or {}
    domains = [{"domain": {}, **domain} for domain in system.get("domainCredentials") or [{}]]
    tree["credentials"] = {**(tree.get("credentials") or {}), "system": {"domainCredentials": domains}}
    return tree


def _collect_jenkins(home: Home, settings: dict[str, Any]) -> dict[str, Any]:
    labels = sorted({label for node in home.configuration.nodes for label in node.labels} | {BUILT_IN})
    jenkins: dict[str, Any] = {
        "labelAtoms": [{"name": label} for label in labels],
        "primaryView": {"all": {"name": home.tree.root.primary_view}},
        "views": [{"all": {"name": "all"}}],
        **settings,
    }
    port = home.options.arguments.properties.get("jenkins.model.Jenkins.slaveAgentPort")
    if port:
        jenkins.setdefault("slaveAgentPort", int(port))
    realm = (settings.get("securityRealm") or {}).get("local")
    if realm is not None:
        accounts = sorted((user for user in home.users.list_all() if user.password), key=lambda user: user.identifier)
        users = [_describe_user(user) for user in accounts]
        jenkins["securityRealm"] = {"local": {**realm, "users": users}}
    return jenkins


def _describe_user(user: User) -> dict[str, Any]:
    mailer = {"mailer": {"emailAddress": user.email} if user.email else {}}
    described = {"id": user.identifier, "name": user.full_name, "description": user.description}
    return {**described, "properties": [*_PROPERTIES, mailer]}
