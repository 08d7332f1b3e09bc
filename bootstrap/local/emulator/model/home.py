"""The home of one Jenkins: everything under JENKINS_HOME, and queries that concern several parts of it."""

from __future__ import annotations

import contextlib
import re

from ..failures import failure
from ..options import Options
from . import xmlfile
from .cipher import Vault
from .configuration import Configuration
from .credentials import Credentials
from .item_tree import Tree
from .items import Folder
from .jobs import Job
from .security import ANONYMOUS, Authorization, Users
from .views import ALL, declared_view, make_view, views_of


class Home:
    """The parts, each by its name. Configuration, authorization and tree are replaced while Jenkins runs: ask for them anew."""

    def __init__(self, options: Options) -> None:
        self.options, self.directory = options, options.home
        self.directory.mkdir(parents=True, exist_ok=True)
        self.vault = Vault(self.directory)
        self.users = Users(self.directory)
        self.credentials = Credentials(self.directory, self.vault)
        self.tree = Tree(self.directory, options.plugins)
        self.configuration = Configuration()
        self.authorization = Authorization()

    # Questions

    @property
    def url(self) -> str:
        """The root URL, ending in a slash: the configured one, or where this process listens."""
        return self.configuration.url or f"http://{self.options.address}:{self.options.port}/"

    @property
    def is_secured(self) -> bool:
        """Whether there is any authorization at all."""
        return self.authorization.strategy != "unsecured"

    def find_job(self, name: str, start: Folder | None = None) -> Job | None:
        """A job by full name, or relative to a folder."""
        for folder in (start, None):
            item = self.tree.find(name, folder)
            if isinstance(item, Job):
                return item
        return None

    def check_new_name(self, name: str) -> None:
        """Refuse a name that the naming strategy does not allow."""
        pattern, description = self.configuration.name_pattern
        if pattern and not re.fullmatch(pattern, name):
            raise failure(description or f"‘{name}’ does not match the job name convention pattern {pattern}")

    def fullname_of(self, name: str) -> str:
        """How a user is shown."""
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
        self._load_views()

    def reload_items(self) -> None:
        """Forget the items in memory and read them again."""
        self.tree = Tree(self.directory, self.options.plugins)
        self._load_views()
        self.apply_views()
        with contextlib.suppress(OSError):
            self.tree.load()

    def write_marks(self) -> None:
        """Write what tells a later start which version and which plugins were here."""
        version = self.options.version.encode()
        for name in ("jenkins.install.InstallUtil.lastExecVersion", "jenkins.install.UpgradeWizard.state"):
            xmlfile.write(self.directory / name, version)
        for plugin, number in self.options.plugins.items():
            mark = self.directory / "plugins" / f"{plugin}.version"
            if not mark.exists() or mark.read_text() != number:
                mark.write_text(number)

    def apply_views(self) -> None:
        """Give the root the views that are configured, and always one."""
        root = self.tree.root
        declared = self.configuration.value("jenkins", "views")
        if declared is not None:
            root.views = [declared_view(entry) for entry in declared]
        primary = self.configuration.value("jenkins", "primaryView")
        if primary:
            root.primary_view = declared_view(primary).name
        if not any(view.kind == ALL for view in root.views) and not declared:
            root.views.insert(0, make_view(ALL, "all"))
        if root.primary_view not in {view.name for view in root.views}:
            root.primary_view = root.views[0].name

    def _load_views(self) -> None:
        path = self.directory / "config.xml"
        if path.exists():
            root = xmlfile.parse(path.read_bytes())
            self.tree.root.views = views_of(root.find("views"))
            self.tree.root.primary_view = xmlfile.text(root, "primaryView")

    def save(self) -> None:
        """Write config.xml and the location's file."""
        settings = self.configuration
        root = xmlfile.element("hudson")
        xmlfile.put(root, "version", self.options.version)
        xmlfile.put(root, "numExecutors", settings.executors)
        xmlfile.put(root, "mode", "EXCLUSIVE" if settings.is_exclusive else "NORMAL")
        xmlfile.put(root, "useSecurity", self.is_secured)
        xmlfile.put(root, "authorizationStrategy", class_=self.authorization.strategy)
        xmlfile.put(
            root, "securityRealm", class_=next(iter(settings.value("jenkins", "securityRealm", default={"none": {}})))
        )
        xmlfile.put(root, "disableRememberMe", bool(settings.value("jenkins", "disableRememberMe", default=False)))
        xmlfile.put(root, "systemMessage", settings.value("jenkins", "systemMessage", default=""))
        xmlfile.put(root, "quietPeriod", settings.quiet_period)
        views = xmlfile.put(root, "views")
        for view in self.tree.root.views:
            views.append(xmlfile.parse(xmlfile.serialise(view.root)))
        xmlfile.put(root, "primaryView", self.tree.root.primary_view)
        xmlfile.put(root, "slaveAgentPort", settings.value("jenkins", "slaveAgentPort", default=-1))
        xmlfile.put(root, "label", settings.value("jenkins", "labelString", default=""))
        xmlfile.write(self.directory / "config.xml", xmlfile.serialise(root), 0o600)
        location = xmlfile.element("jenkins.model.JenkinsLocationConfiguration")
        xmlfile.put(location, "adminAddress", settings.admin_address)
        xmlfile.put(location, "jenkinsUrl", self.url)
        xmlfile.write(self.directory / "jenkins.model.JenkinsLocationConfiguration.xml", xmlfile.serialise(location))
