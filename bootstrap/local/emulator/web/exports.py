"""Exports objects for the remote API, with Jenkins' own classes and property names.

The controller, its plugins, users and credentials are here; nodes are in `exports_nodes`, items in `exports_items`, builds in
`exports_builds`.
"""

from __future__ import annotations

from typing import Any

from ..model.configuration import NodeSettings
from ..model.credentials import GLOBAL, Credential
from ..model.security import User
from .api import Exported
from .exports_items import CREDENTIALS, FOLDER_STORE
from .exports_nodes import OVERALL, NodeExports

UNLABELED = "jenkins.model.UnlabeledLoadStatistics"
ROOT_STORE = f"{CREDENTIALS}SystemCredentialsProvider$UserFacingAction"
EVERYWHERE = "Credentials that should be available everywhere."
# The properties of every user, in the order of their plugins, with what they export.
_USER_PROPERTIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("jenkins.security.ApiTokenProperty", {}),
    ("jenkins.console.ConsoleUrlProviderUserProperty", {}),
    (f"{CREDENTIALS}UserCredentialsProvider$UserCredentialsProperty", {}),
    ("jenkins.views.ViewsTabBarUserProperty", {}),
    ("hudson.tasks.Mailer$UserProperty", {"address": None}),
    ("hudson.plugins.emailext.watching.EmailExtWatchAction$UserProperty", {"triggers": []}),
    ("hudson.model.MyViewsProperty", {}),
    ("org.jenkinsci.plugins.displayurlapi.user.PreferredProviderUserProperty", {}),
    ("hudson.model.PaneStatusProperties", {}),
    ("jenkins.security.seed.UserSeedProperty", {}),
    ("hudson.search.UserSearchProperty", {"insensitiveSearch": True}),
    ("hudson.model.TimeZoneProperty", {}),
    ("jenkins.model.experimentalflags.UserExperimentalFlagsProperty", {}),
    ("hudson.security.HudsonPrivateSecurityRealm$Details", {}),
)


class Exports(NodeExports):
    """Exports the controller as one user may see it; `base` is the URL that the request came to."""

    def export_root(self) -> Exported:
        """Export the controller itself."""
        controller, settings = self._controller, self._controller.home.configuration
        root = controller.home.tree.root
        return Exported(
            "hudson.model.Hudson",
            {
                **self._list_settings(settings.nodes[0]),
                "description": settings.read("jenkins", "systemMessage"),
                "jobs": lambda: self.export_items(root),
                "overallLoad": self.export_load(OVERALL),
                "primaryView": lambda: self.export_view(root, root.first_view),
                "quietDownReason": controller.quiet_mode.reason or None,
                "quietingDown": controller.quiet_mode.is_on,
                "slaveAgentPort": controller.home.agent_port,
                "unlabeledLoad": self.export_load(UNLABELED),
                "url": self._base,
                "useCrumbs": True,
                "useSecurity": controller.home.is_secured,
                "views": lambda: self.export_views(root),
            },
            brief=frozenset({"nodeName"}),
        )

    def export_node(self, node: NodeSettings) -> Exported:
        """Export a node as the object that holds its settings: for the built-in node the controller itself."""
        return super().export_node(node) if node.name else self.export_root()

    def export_plugins(self) -> Exported:
        """Export the plugins of the lock."""
        return Exported("hudson.LocalPluginManager", {"plugins": [self.export_plugin(name) for name in self._plugins]})

    @property
    def _plugins(self) -> list[str]:
        return sorted(self._controller.home.options.plugins)

    def export_plugin(self, name: str) -> Exported:
        """Export a plugin; the emulator does not know which others it needs, nor its long name."""
        properties: dict[str, Any] = {
            "active": True,
            "backupVersion": None,
            "bundled": False,
            "deleted": False,
            "dependencies": [],
            "detached": False,
            "downgradable": False,
            "enabled": True,
            "hasUpdate": False,
            "longName": self._controller.home.options.find_title(name),
            "pinned": False,
            "requiredCoreVersion": self._controller.home.options.version,
            "shortName": name,
            "supportsDynamicLoad": "MAYBE",
            "url": None,
            "version": self._controller.home.options.plugins[name],
        }
        return Exported("hudson.PluginWrapper", properties, brief=frozenset(), is_exact=True)

    def export_update_center(self) -> Exported:
        """Export the update centre. The emulator asks no server, so it offers nothing."""
        site: dict[str, Any] = {
            "availables": [],
            "connectionCheckUrl": "http://www.google.com/",
            "dataTimestamp": 0,
            "hasUpdates": False,
            "id": "default",
            "suggestedPluginsUrl": "https://updates.jenkins.io/platform-plugins.json",
            "updates": [],
            "url": "https://updates.jenkins.io/update-center.json",
        }
        properties: dict[str, Any] = {
            "availables": [],
            "jobs": [],
            "restartRequiredForCompletion": False,
            "sites": [Exported("hudson.model.UpdateSite", site, brief=frozenset(), is_exact=True)],
        }
        return Exported("hudson.model.UpdateCenter", properties)

    def export_user(self, user: User) -> Exported:
        """Export a user; only the user himself and an administrator see the properties."""
        is_own = self._identity.name.lower() == user.identifier.lower()
        may_see = is_own or self._controller.home.authorization.allows(self._identity, "Overall/Administer")
        properties = [
            Exported(kind, {**values, "address": user.email or None} if "address" in values else values, is_whole=True)
            for kind, values in _USER_PROPERTIES
            if not kind.endswith("$Details") or user.password
        ]
        return Exported(
            "hudson.model.User",
            {
                "absoluteUrl": f"{self._base}user/{user.identifier.lower()}",
                "description": user.description or None,
                "fullName": user.full_name,
                "id": user.identifier,
                "property": properties if may_see else [],
            },
        )

    def export_caller(self) -> Exported:
        """Export the identity of the caller."""
        identity = self._identity
        return Exported(
            "hudson.security.WhoAmI",
            {
                "anonymous": identity.is_anonymous,
                "authenticated": True,
                "authorities": list(identity.authorities),
                "name": identity.name,
            },
        )

    # Credentials

    def export_stores(self, *, is_root: bool) -> Exported:
        """Export the stores of credentials of the root, or of a folder."""
        kind = "ViewCredentialsAction$RootActionImpl" if is_root else "ViewCredentialsAction"
        store = Exported(ROOT_STORE if is_root else FOLDER_STORE, {})
        return Exported(f"{CREDENTIALS}{kind}", {"stores": {"system" if is_root else "folder": store}})

    def export_store(self, domains: list[tuple[str, list[Credential]]], path: str, title: str) -> Exported:
        """Export a store; `path` and `title` name it, such as 'system' and 'System'."""
        shown = {
            domain or GLOBAL: self.export_domain(domain, credentials, path, title) for domain, credentials in domains
        }
        return Exported(ROOT_STORE if path == "system" else FOLDER_STORE, {"domains": shown})

    def export_domain(self, domain: str, credentials: list[Credential], path: str, title: str) -> Exported:
        """Export a domain of a store; the name of the global one is empty."""
        name, shown = domain or GLOBAL, domain or "Global"
        properties = {
            "credentials": [self.export_credential(entry, f"{path}/{name}") for entry in credentials],
            "description": None if domain else EVERYWHERE,
            "displayName": shown,
            "fullDisplayName": f"{title} » {shown}",
            "fullName": f"{path}/{name}",
            "global": not domain,
            "urlName": name,
        }
        return Exported(f"{CREDENTIALS}CredentialsStoreAction$DomainWrapper", properties, brief=frozenset())

    @staticmethod
    def export_credential(credential: Credential, path: str) -> Exported:
        """Export a credential without its secrets."""
        properties = {
            "description": credential.description or None,
            "displayName": credential.shown_name,
            "fingerprint": None,
            "fullName": f"{path}/{credential.identifier}",
            "id": credential.identifier,
            "typeName": credential.type_name,
        }
        kind = f"{CREDENTIALS}CredentialsStoreAction$CredentialsWrapper"
        return Exported(kind, properties, brief=frozenset(), is_exact=True)
