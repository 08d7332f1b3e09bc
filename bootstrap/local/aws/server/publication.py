"""Publishes and deregisters images of Debian on demand, as Debian does on AWS.

    {"publish": "debian-13-amd64-20251115-2300"}      a new image; from now on, the public parameters have its id
    {"deregister": "ami-0123456789abcdef0"}           an older image is no longer there; instances of it run on

Each change is journalled, so a restart loses none.
"""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.compute.images import Catalogue, InvalidImage
from bootstrap.local.aws.server.door import Door


class Publication:
    """The changes of the catalogue of one local cloud."""

    def __init__(self, door: Door, catalogue: Catalogue) -> None:
        self._door = door
        self._catalogue = catalogue
        door.event_handlers["image-published"] = catalogue.apply_published
        door.event_handlers["image-deregistered"] = catalogue.apply_deregistered

    def change(self, body: Any) -> None:
        """Carry out the body of a POST. Raises InvalidImage, and then changes nothing."""
        match body:
            case {"publish": str(name)} if len(body) == 1:
                self._catalogue.check_new(name)
                self._door.record_event("image-published", name=name)
            case {"deregister": str(image_id)} if len(body) == 1:
                self._catalogue.check_old(image_id)
                self._door.record_event("image-deregistered", image=image_id)
            case _:
                raise InvalidImage("a change has either 'publish' with a name, or 'deregister' with an id")

    def list_all(self) -> list[dict[str, Any]]:
        """The images, oldest first."""
        return self._catalogue.list_all()
