"""Resolves a URL path to an object and the rest of the path, in the order in which Jenkins' Stapler does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..controller import Controller
from ..failures import Refused
from ..model.builds import PERMALINKS, Build
from ..model.configuration import BUILT_IN
from ..model.items import Folder
from ..model.jobs import Job
from .calls import Call


@dataclass(frozen=True)
class Target:
    """An object of a kind ('root', 'folder', 'job', 'build', 'view', ...) and the rest of the path."""

    kind: str
    thing: Any
    rest: list[str]


def resolve(call: Call, segments: list[str]) -> Target:
    """Resolve as many segments as name objects.

    Raises Refused (404) for an object that does not exist or that the caller may not discover, and Forbidden for one that the
    caller may not read.
    """
    if segments[:1] == ["manage"]:
        segments = segments[1:]
    return _Walk(call).walk_folder(call.controller.home.tree.root, segments)


def _not_found(name: str) -> Refused:
    return Refused(404, f"Not Found: {name}")


class _Walk:
    """Each method takes an object and the segments after it, and goes on to the object that the next segment names."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._controller: Controller = call.controller

    def walk_folder(self, folder: Folder, rest: list[str]) -> Target:
        if rest[:1] == ["job"] and len(rest) > 1:
            return self._walk_item(folder, rest[1], rest[2:])
        if rest[:1] == ["view"] and len(rest) > 1:
            return self._walk_view(folder, rest[1], rest[2:])
        if folder is self._controller.home.tree.root:
            return self._walk_root(rest)
        return Target("folder", folder, rest)

    def _walk_item(self, folder: Folder, name: str, rest: list[str]) -> Target:
        item = folder.find_child(name)
        rights = self._controller.home.authorization
        if item is None or item.name != name or not rights.allows(self._call.identity, "Job/Discover"):
            if self._call.identity.is_anonymous:
                self._call.require("Overall/Read")
            raise _not_found(name)
        self._call.require("Job/Read")
        if isinstance(item, Folder):
            return self.walk_folder(item, rest)
        assert isinstance(item, Job)
        if rest and (rest[0].isdigit() or rest[0] in PERMALINKS):
            build = item.find_build(rest[0])
            if build is None:
                raise _not_found(f"{item.full_name} #{rest[0]}")
            return self._walk_build(build, rest[1:])
        return Target("job", item, rest)

    def _walk_build(self, build: Build, rest: list[str]) -> Target:
        if rest[:1] == ["input"] and len(rest) > 2:
            question = self._controller.inputs.find(build, rest[1])
            if question is None:
                raise _not_found(f"input {rest[1]}")
            return Target("input", question, rest[2:])
        return Target("build", build, rest)

    def _walk_view(self, folder: Folder, name: str, rest: list[str]) -> Target:
        view = next((view for view in folder.views if view.name == name), None)
        if view is None:
            raise _not_found(f"view {name}")
        if rest[:1] == ["job"] and len(rest) > 1:
            return self._walk_item(folder, rest[1], rest[2:])
        return Target("view", (folder, view), rest)

    def _walk_root(self, rest: list[str]) -> Target:
        controller = self._controller
        if rest[:2] == ["queue", "item"] and len(rest) > 2:
            number = int(rest[2]) if rest[2].isdigit() else 0
            queue_item, part = controller.queue.find(number), controller.executors.find_waiting(number)
            rights = controller.home.authorization
            if (queue_item or part) is None or not rights.allows(self._call.identity, "Job/Discover"):
                raise _not_found(f"queue item {rest[2]}")
            self._call.require("Job/Read")
            return Target("queuepart", part, rest[3:]) if part else Target("queueitem", queue_item, rest[3:])
        if rest[:1] == ["computer"] and len(rest) > 1 and rest[1] != "api":
            name = "" if rest[1] in {"(built-in)", "(master)", BUILT_IN} else rest[1]
            node = controller.home.configuration.find_node(name)
            if node is None:
                raise _not_found(f"computer {rest[1]}")
            return Target("computer", node, rest[2:])
        if rest[:1] == ["user"] and len(rest) > 1:
            user = controller.home.users.find(rest[1])
            if user is None:
                raise _not_found(f"user {rest[1]}")
            return Target("user", user, rest[2:])
        if rest[:1] == ["me"]:
            self._call.require("Overall/Read")
            if self._call.identity.is_anonymous:
                self._call.controller.home.authorization.require(self._call.identity, "Overall/Administer")
                raise _not_found("me")
            return Target("user", controller.home.users.ensure(self._call.identity.name), rest[1:])
        return Target("root", controller.home.tree.root, rest)
