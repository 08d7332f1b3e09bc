"""Which image (AMI) the environment's machine has, and which one is the newest.

The parameter ImageId of the stack `controller` pins the image: a launch passes the same id again, so that a new image of Debian
never replaces the machine. An older version of the toolkit passed the name of the public parameter; then the pinned image is
the one that CloudFormation found by that name.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from bootstrap import wording
from bootstrap.cloud import images, refusals
from bootstrap.cloud.images import Image
from bootstrap.context import Context
from bootstrap.errors import ImageMissing
from bootstrap.stacks import states
from bootstrap.values import Stack


@dataclass(frozen=True)
class MachineImage:
    """The pinned image, None before the first launch; and the newest one, None with the reason `unknown` in some regions."""

    pinned: Image | None
    newest: Image | None
    unknown: str = ""

    @property
    def is_newest(self) -> bool:
        """Whether no other image than the pinned one is known to be the newest."""
        return self.pinned is None or self.newest is None or self.pinned.id == self.newest.id


def find_pinned(stacks: Mapping[str, Stack]) -> str | None:
    """The id of the pinned image; None if the next launch creates the stack of the machine."""
    controller = stacks.get("controller")
    if controller is None or controller.status in {*states.CREATION_FAILED, states.DELETION_STOPPED}:
        return None
    return controller.parameters.get("ImageId")


def read_machine_image(context: Context) -> MachineImage:
    """Read both images. Raises ClientError."""
    aws, pinned_id = context.world.aws, find_pinned(context.stacks)
    pinned = images.describe(aws, pinned_id) if pinned_id else None
    try:
        return MachineImage(pinned, images.describe(aws, images.read_newest(aws)))
    except ImageMissing as error:
        return MachineImage(pinned, None, error.found)


def describe_state(context: Context) -> tuple[str, ...]:
    """What a plan says about the image: nothing if the pinned one is the newest, or if nothing was launched yet."""
    if find_pinned(context.stacks) is None:
        return ()
    try:
        images = read_machine_image(context)
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        return (f"whether a newer image is there is not known: {refusals.format_error(error)}",)
    if images.pinned is not None and not images.pinned.is_available:
        upgrade = (
            f"image upgrade' takes {images.newest}" if images.newest else "image upgrade --to AMI' takes another one"
        )
        return (
            f"the image {images.pinned.id} is no longer available: the machine runs on, but cannot be replaced; "
            f"'{context.tool} {upgrade}",
        )
    if images.newest is None:
        return (f"whether a newer image is there is not known: {images.unknown}",)
    if images.is_newest:
        return ()
    return (
        f"a newer image is there: {images.newest}; the machine keeps {images.pinned}, and '{context.tool} image upgrade' "
        "takes the newer one",
    )


def count_days(image: Image, today: datetime.date) -> int:
    """The age of an image in days."""
    return (today - datetime.date.fromisoformat(image.published)).days


def describe_age(image: Image, today: datetime.date) -> str:
    """The image with its age."""
    return f"{image}, {wording.count_noun(count_days(image, today), 'day')} old" if image.published else str(image)
