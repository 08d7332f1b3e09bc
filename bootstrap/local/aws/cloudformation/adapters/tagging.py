"""How services tag: two calls, of which no service names the parameters as the next does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To


@dataclass(frozen=True)
class Tagging:
    """The two calls of a service, the parameter that names the resource, and whether tags are a list or a map.

    `target` is the attribute that names it, '@id' the physical id; `names` are what a list calls a tag's two parts. Some
    services keep the tags of the system to themselves: those are left out where moto refuses them.
    """

    on: str = "ResourceArn"
    target: str = "@id"
    put: str = "tag_resource"
    take: str = "untag_resource"
    tags: str = "Tags"
    keys: str = "TagKeys"
    names: tuple[str, str] = ("Key", "Value")
    as_map: bool = False
    keys_as_pairs: bool = False
    takes_system_tags: bool = True
    more: dict[str, str] = field(default_factory=dict)

    def apply(self, adapter: Adapter, to: To, service: str, gone: Iterable[str]) -> None:
        """Take `gone` away, then put what there is."""
        target = to.physical_id if self.target == "@id" else adapter.attributes(to)[self.target]
        given, names = {self.on: target, **self.more}, list(gone)
        if names:
            taken: list[Any] = [{"Key": name} for name in names] if self.keys_as_pairs else list(names)
            to.call(service, self.take, **given, **{self.keys: taken})
        tags = {key: value for key, value in to.tags.items() if self.takes_system_tags or not key.startswith("aws:")}
        if tags:
            listed = [dict(zip(self.names, one, strict=True)) for one in tags.items()]
            to.call(service, self.put, **given, **{self.tags: tags if self.as_map else listed})


EC2_TAGS = Tagging("Resources", put="create_tags", take="delete_tags", keys="Tags", keys_as_pairs=True)


class Tagged(Adapter):
    """An adapter whose resource its service tags by `tagging`."""

    service: str = ""
    tagging = Tagging()

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """As the service tags."""
        self.tagging.apply(self, to, self.service, gone)
