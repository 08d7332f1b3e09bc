"""How services set tags: by two calls, whose parameters have other names in each service."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To


@dataclass(frozen=True)
class Tagging:
    """The two calls of a service that set and remove tags, and the names of their parameters.

    `on` is the parameter that identifies the resource; its value is the attribute `target`, or the physical id for '@id'.
    `add` and `remove` are the calls, `tags` and `keys` their parameters, and `names` the two members of a tag in a list
    (`as_map`: tags are a map; `keys_as_pairs`: the keys to remove are a list of Key). Without `takes_system_tags`, tags
    that begin with aws: are left out, because moto refuses them for this service.
    """

    on: str = "ResourceArn"
    target: str = "@id"
    add: str = "tag_resource"
    remove: str = "untag_resource"
    tags: str = "Tags"
    keys: str = "TagKeys"
    names: tuple[str, str] = ("Key", "Value")
    as_map: bool = False
    keys_as_pairs: bool = False
    takes_system_tags: bool = True
    more: dict[str, str] = field(default_factory=dict)

    def apply(self, adapter: Adapter, to: To, service: str, removed: Iterable[str]) -> None:
        """Remove the tags with the keys `removed`, then set `to.tags`."""
        target = to.physical_id if self.target == "@id" else adapter.read_attributes(to)[self.target]
        resource, names = {self.on: target, **self.more}, list(removed)
        if names:
            keys: list[Any] = [{"Key": name} for name in names] if self.keys_as_pairs else list(names)
            to.call(service, self.remove, **resource, **{self.keys: keys})
        tags = {key: value for key, value in to.tags.items() if self.takes_system_tags or not key.startswith("aws:")}
        if tags:
            listed = [dict(zip(self.names, one, strict=True)) for one in tags.items()]
            to.call(service, self.add, **resource, **{self.tags: tags if self.as_map else listed})


EC2_TAGS = Tagging("Resources", add="create_tags", remove="delete_tags", keys="Tags", keys_as_pairs=True)


class Tagged(Adapter):
    """An adapter that sets tags by the calls of `tagging`."""

    service: str = ""
    tagging = Tagging()

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and set `to.tags`."""
        self.tagging.apply(self, to, self.service, removed)
