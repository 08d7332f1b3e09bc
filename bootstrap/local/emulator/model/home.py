"""Loads and saves everything under JENKINS_HOME, and answers questions that concern several parts of it."""

from __future__ import annotations

import contextlib
import re

from ..failures import make_failure
from ..options import Options
from . import xmlfile
from .cipher import Vault
from .clouds import render_clouds
from .configuration import Configuration
from .credentials import Credential, Credentials, open_folder_store
from .item_tree import Tree
from .items import Folder, Item
from .jobs import Job
from .nodes import Nodes
from .security import ANONYMOUS, Authorization, Users
from .views import ALL, make_declared_view, make_view, read_views


class Home:
    """The parts of one home. Configuration, authorization and tree are replaced while Jenkins runs: read them at each use."""

    def __init__(self, options: Options) -> None:
        self.options, self.directory = options, options.home
        self.directory.mkdir(parents=True, exist_ok=True)
        self.vault = Vault(self.directory)
        self.users = Users(self.directory)
        self.credentials = Credentials(self.directory, self.vault, options.plugins)
        self.nodes = Nodes(self.directory, options.plugins)
        self.tree = Tree(self.directory, options.plugins)
        self.configuration = Configuration()
        self.authorization = Authorization()

    @property
    def configuration(self) -> Configuration:
        """The present configuration."""
        return self._configuration

    @configuration.setter
    def configuration(self, configuration: Configuration) -> None:
        if configuration.read("jenkins", "nodes") is not None:
            self.nodes.clear()
        configuration.list_added = lambda: self.nodes.settings
        self._configuration = configuration

    # Questions

    @property
    def url(self) -> str:
        """The root URL: the configured one, or that of the address where this process listens; it ends in a slash."""
        return self.configuration.url or f"http://{self.options.address}:{self.options.port}/"

    @property
    def agent_port(self) -> int:
        """The TCP port for agents: -1 is none, 0 a random one. A property decides if it is enforced, or if nothing is set."""
        properties, prefix = self.options.arguments.properties, "jenkins.model.Jenkins.slaveAgentPort"
        stored = self.configuration.read("jenkins", "slaveAgentPort")
        if prefix in properties and (stored is None or properties.get(f"{prefix}Enforce") == "true"):
            return int(properties[prefix])
        return int(stored or 0)

    @property
    def is_secured(self) -> bool:
        """Whether an authorization strategy is configured."""
        return self.authorization.strategy != "unsecured"

    def find_job(self, name: str, start: Folder | None = None) -> Job | None:
        """Find a job by its name relative to the folder `start`, else by its full name; None if there is none."""
        for folder in (start, None):
            item = self.tree.find(name, folder)
            if isinstance(item, Job):
                return item
        return None

    def find_credential(self, identifier: str, item: Item | None) -> Credential | None:
        """Find the credential that an item may use: the nearest folder's around it comes first; None if there is none."""
        folder = item.parent if item else None
        while folder is not None and folder.parent is not None:
            store = open_folder_store(folder, self.vault, self.options.plugins)
            if (credential := store.find(identifier)) is not None:
                return credential
            folder = folder.parent
        return self.credentials.find(identifier)

    def check_new_name(self, name: str) -> None:
        """Check a name against the naming strategy; raises Refused (400) if it does not match."""
        pattern, description = self.configuration.name_pattern
        if pattern and not re.fullmatch(pattern, name):
            raise make_failure(description or f"‘{name}’ does not match the job name convention pattern {pattern}")

    def find_full_name(self, name: str) -> str:
        """Find the full name of a user; the given name if there is no such user."""
        if name == ANONYMOUS:
            return ANONYMOUS
        user = self.users.find(name)
        return user.full_name if user else name

    # Files

    def load(self) -> None:
        """Read accounts, credentials and the root's views; items are read when the configuration is applied."""
        for name in ("jobs", "users", "logs", "plugins"):
            (self.directory / name).mkdir(exist_ok=True)
        self.users.load()
        self.credentials.load()
        self.nodes.load()
        self._load_views()

    def reload_items(self) -> None:
        """Read all items, and the views of the root, from the disk again."""
        self.tree = Tree(self.directory, self.options.plugins)
        self._load_views()
        self.apply_views()
        with contextlib.suppress(OSError):
            self.tree.load()

    def write_marks(self) -> None:
        """Write the files by which a later start knows the version of Jenkins and of the plugins."""
        version = self.options.version.encode()
        for name in ("jenkins.install.InstallUtil.lastExecVersion", "jenkins.install.UpgradeWizard.state"):
            xmlfile.write(self.directory / name, version)
        for plugin, number in self.options.plugins.items():
            mark = self.directory / "plugins" / f"{plugin}.version"
            if not mark.exists() or mark.read_text() != number:
                mark.write_text(number)

    def apply_views(self) -> None:
        """Set the configured views of the root; without any, the root has the view 'all'."""
        root = self.tree.root
        declared = self.configuration.read("jenkins", "views")
        if declared is not None:
            root.views = [make_declared_view(entry) for entry in declared]
        primary = self.configuration.read("jenkins", "primaryView")
        if primary:
            root.primary_view = make_declared_view(primary).name
        if not any(view.kind == ALL for view in root.views) and not declared:
            root.views.insert(0, make_view(ALL, "all"))
        if root.primary_view not in {view.name for view in root.views}:
            root.primary_view = root.views[0].name

    def _load_views(self) -> None:
        path = self.directory / "config.xml"
        if path.exists():
            root = xmlfile.parse(path.read_bytes())
            self.tree.root.views = read_views(root.find("views"))
            self.tree.root.primary_view = xmlfile.read_text(root, "primaryView")

    def save(self) -> None:
        """Write config.xml and the location's file."""
        settings = self.configuration
        root = xmlfile.make_element("hudson")
        xmlfile.put(root, "version", self.options.version)
        xmlfile.put(root, "numExecutors", settings.executors)
        xmlfile.put(root, "mode", "EXCLUSIVE" if settings.is_exclusive else "NORMAL")
        xmlfile.put(root, "useSecurity", self.is_secured)
        xmlfile.put(root, "authorizationStrategy", class_=self.authorization.strategy)
        xmlfile.put(
            root, "securityRealm", class_=next(iter(settings.read("jenkins", "securityRealm", default={"none": {}})))
        )
        xmlfile.put(root, "disableRememberMe", bool(settings.read("jenkins", "disableRememberMe", default=False)))
        xmlfile.put(root, "systemMessage", settings.read("jenkins", "systemMessage", default=""))
        xmlfile.put(root, "quietPeriod", settings.quiet_period)
        render_clouds(root, settings.read("jenkins", "clouds", default=[]), self.options.plugins)
        views = xmlfile.put(root, "views")
        for view in self.tree.root.views:
            views.append(xmlfile.parse(xmlfile.serialise(view.root)))
        xmlfile.put(root, "primaryView", self.tree.root.primary_view)
        xmlfile.put(root, "slaveAgentPort", self.agent_port)
        xmlfile.put(root, "label", settings.read("jenkins", "labelString", default=""))
        xmlfile.write(self.directory / "config.xml", xmlfile.serialise(root), 0o600)
        location = xmlfile.make_element("jenkins.model.JenkinsLocationConfiguration")
        xmlfile.put(location, "adminAddress", settings.admin_address)
        xmlfile.put(location, "jenkinsUrl", self.url)
        xmlfile.write(self.directory / "jenkins.model.JenkinsLocationConfiguration.xml", xmlfile.serialise(location))
