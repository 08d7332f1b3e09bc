"""Resolves a URL path to an object and the rest of the path, in the order in which Jenkins' Stapler does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..controller import Controller
from ..failures import Refused
from ..model.builds import PERMALINKS, Build
from ..model.configuration import BUILT_IN
from ..model.credentials import GLOBAL, Credential, Store, open_folder_store
from ..model.items import Folder, encode_name
from ..model.jobs import Job
from ..model.views import View
from .calls import Call
from .exports import UNLABELED
from .exports_nodes import OVERALL

# Below `computer/`, what is no name of a node.
_OF_ALL_NODES = (
    "api",
    "doCreateItem",
    "createItem",
    "updateNow",
    "new",
    "configure",
    "rssAll",
    "rssFailed",
    "rssLatest",
)


@dataclass(frozen=True)
class StorePlace:
    """A store of credentials with the folder that has it, and, further down, one of its domains and one of its credentials."""

    store: Store
    folder: Folder
    domain: str = ""
    credential: Credential | None = None

    @property
    def path(self) -> str:
        """The URL path of the store."""
        return f"{self.folder.path}credentials/store/{self._name}/"

    @property
    def _name(self) -> str:
        return "folder" if self.folder.parent else "system"

    @property
    def domain_path(self) -> str:
        """The URL path of the domain, without a slash at its end."""
        return f"{self.path}domain/{encode_name(self.domain or GLOBAL)}"

    @property
    def names(self) -> tuple[str, str]:
        """The full name of the store, and its title."""
        if self.folder.parent is None:
            return "system", "System"
        return f"{self.folder.full_name}/folder", f"{self.folder.full_name.replace('/', ' » ')} » Folder"


@dataclass(frozen=True)
class Target:
    """An object of a kind ('root', 'folder', 'job', 'build', 'view', ...) and the rest of the path.

    `via` are the path of an object on the way, and the path by which the request named it, where they differ.
    """

    kind: str
    thing: Any
    rest: list[str]
    via: tuple[str, str] | None = None


def resolve(call: Call, segments: list[str]) -> Target:
    """Resolve as many segments as name objects.

    Raises Refused (404) for an object that does not exist or that the caller may not discover, and Forbidden for one that the
    caller may not read.
    """
    if segments[:1] == ["manage"] and len(segments) > 1:
        segments = segments[1:]
    walk = _Walk(call)
    return replace(walk.walk_folder(call.controller.home.tree.root, segments), via=walk.via)


def _refuse_missing(name: str) -> Refused:
    return Refused(404, f"Not Found: {name}")


class _Walk:
    """Each method takes an object and the segments after it, and goes on to the object that the next segment names."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._controller: Controller = call.controller
        self.via: tuple[str, str] | None = None

    def walk_folder(self, folder: Folder, rest: list[str]) -> Target:
        is_root = folder is self._controller.home.tree.root
        if rest[:1] in (["job"], ["item"]) and len(rest) > 1:
            target = self._walk_item(folder, rest[1], rest[2:])
            if rest[0] == "item":
                self._follow(f"{folder.path}job/", f"{folder.path}item/")
            return target
        if rest[:1] == ["view"] and len(rest) > 1:
            return self._walk_view(folder, folder.find_view(rest[1]), rest[1], rest[2:])
        if rest[:1] == ["primaryView"]:
            return self._walk_view(folder, folder.first_view, rest[0], rest[1:])
        if rest[:2] == ["credentials", "store"] and len(rest) > 2:
            return self._walk_store(folder, rest[2], rest[3:])
        return self._walk_root(rest) if is_root else Target("folder", folder, rest)

    def _follow(self, path: str, used: str) -> None:
        if self.via is None:
            self.via = (path, used)

    def _walk_store(self, folder: Folder, name: str, rest: list[str]) -> Target:
        home = self._controller.home
        is_root = folder is home.tree.root
        may_view = home.authorization.allows(self._call.identity, "Credentials/View")
        if not may_view or name != ("system" if is_root else "folder"):
            raise _refuse_missing(f"store {name}")
        store = home.credentials if is_root else open_folder_store(folder, home.vault, home.options.plugins)
        place = StorePlace(store, folder)
        if rest[:1] != ["domain"] or len(rest) < 2:
            return Target("store", place, rest)
        domain = "" if rest[1] == GLOBAL else rest[1]
        if domain not in store.domains:
            raise _refuse_missing(f"domain {rest[1]}")
        place = replace(place, domain=domain)
        if rest[2:3] != ["credential"] or len(rest) < 4:
            return Target("domain", place, rest[2:])
        credential = store.find_in(domain, rest[3])
        if credential is None:
            raise _refuse_missing(f"credential {rest[3]}")
        return Target("credential", replace(place, credential=credential), rest[4:])

    def _walk_item(self, folder: Folder, name: str, rest: list[str]) -> Target:
        item = folder.find_child(name)
        rights = self._controller.home.authorization
        if item is None or item.name != name or not rights.allows(self._call.identity, "Job/Discover"):
            if self._call.identity.is_anonymous:
                self._call.require("Overall/Read")
            raise _refuse_missing(name)
        self._call.require("Job/Read")
        if isinstance(item, Folder):
            return self.walk_folder(item, rest)
        assert isinstance(item, Job)
        if rest and (rest[0].isdigit() or rest[0] in PERMALINKS):
            build = item.find_build(rest[0])
            if build is None:
                raise _refuse_missing(f"{item.full_name} #{rest[0]}")
            return self._walk_build(build, rest[1:])
        return Target("job", item, rest)

    def _walk_build(self, build: Build, rest: list[str]) -> Target:
        if rest[:1] == ["input"] and len(rest) > 2:
            question = self._controller.inputs.find(build, rest[1])
            if question is None:
                raise _refuse_missing(f"input {rest[1]}")
            return Target("input", question, rest[2:])
        return Target("build", build, rest)

    def _walk_view(self, folder: Folder, view: View | None, name: str, rest: list[str]) -> Target:
        if view is None:
            raise _refuse_missing(f"view {name}")
        if rest[:1] == ["job"] and len(rest) > 1:
            self._follow(folder.path, f"{folder.path}view/{encode_name(name)}/")
            return self._walk_item(folder, rest[1], rest[2:])
        if not self._call.exports.may_see(folder, view):
            self._call.require("View/Read")
        return Target("view", (folder, view), rest)

    def _walk_root(self, rest: list[str]) -> Target:
        controller = self._controller
        if rest[:2] == ["queue", "item"] and len(rest) > 2:
            number = int(rest[2]) if rest[2].isdigit() else 0
            queue_item, part = controller.queue.find(number), controller.executors.find_waiting(number)
            rights = controller.home.authorization
            if (queue_item or part) is None or not rights.allows(self._call.identity, "Job/Discover"):
                raise _refuse_missing(f"queue item {rest[2]}")
            self._call.require("Job/Read")
            return Target("queuepart", part, rest[3:]) if part else Target("queueitem", queue_item, rest[3:])
        if rest[:1] == ["computer"] and len(rest) > 1 and rest[1] not in {*_OF_ALL_NODES}:
            return self._walk_computer(rest[1], rest[2:])
        if rest[:1] == ["label"] and len(rest) > 1:
            if rest[2:3] == ["loadStatistics"]:
                return Target("load", "hudson.model.Label$1", rest[3:])
            return Target("label", rest[1], rest[2:])
        if rest[:1] in (["overallLoad"], ["unlabeledLoad"]):
            return Target("load", OVERALL if rest[0] == "overallLoad" else UNLABELED, rest[1:])
        if rest[:2] == ["pluginManager", "plugin"] and len(rest) > 2:
            self._call.require("Overall/Administer")
            if rest[2] not in controller.home.options.plugins:
                raise _refuse_missing(f"plugin {rest[2]}")
            return Target("plugin", rest[2], rest[3:])
        if rest[:2] == ["securityRealm", "user"]:
            self._call.require(
                "Overall/Read"
            )  # the page of all users is open to anonymous users, until it asks for more
            rest = rest[1:]
        if rest[:1] == ["user"] and len(rest) > 1:
            user = controller.home.users.find(rest[1])
            if user is None:
                raise _refuse_missing(f"user {rest[1]}")
            return Target("user", user, rest[2:])
        if rest[:1] == ["me"]:
            self._call.require("Overall/Read")
            if self._call.identity.is_anonymous:
                self._call.controller.home.authorization.require(self._call.identity, "Overall/Administer")
                raise _refuse_missing("me")
            return Target("user", controller.home.users.ensure(self._call.identity.name), rest[1:])
        return Target("root", controller.home.tree.root, rest)

    def _walk_computer(self, given: str, rest: list[str]) -> Target:
        name = "" if given in {"(built-in)", "(master)", BUILT_IN} else given
        node = self._controller.home.configuration.find_node(name)
        if node is None:
            raise _refuse_missing(f"computer {given}")
        if rest[:1] == ["executors"] and len(rest) > 1:
            if not rest[1].isdigit() or int(rest[1]) >= node.executors:
                raise _refuse_missing(f"executor {rest[1]}")
            return Target("executor", (node, int(rest[1])), rest[2:])
        return Target("computer", node, rest)
