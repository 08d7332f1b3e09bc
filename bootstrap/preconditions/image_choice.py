"""Which image (AMI) the machine gets: the pinned one, the newest at the first launch, or the one that 'image upgrade' chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bootstrap.acts import stack
from bootstrap.cloud import images
from bootstrap.context import Context
from bootstrap.errors import ImageMissing, ImageUnfit
from bootstrap.stacks import states
from bootstrap.values import Reporter, Stack
from bootstrap.views import machine_image


def choose(context: Context, existing: Mapping[str, Stack]) -> str:
    """The id of the image. Raises ImageMissing and ClientError where the newest one must be looked up."""
    return context.chosen_image or machine_image.find_pinned(existing) or images.read_newest(context.world.aws)


def check(context: Context, image_id: str) -> images.Image:
    """The image, which is available. Raises ImageMissing if no instance can be made from it, and ClientError."""
    image = images.describe(context.world.aws, image_id)
    if not image.is_available:
        raise ImageMissing(
            f"making a machine for '{context.settings.name}'",
            f"its image {image_id} is not available: it never existed in this region, was deregistered, or is not public",
            f"Take the newest one: {context.tool} image upgrade",
        )
    return image


def check_other(context: Context, image_id: str, foreign_owner: str | None) -> None:
    """Check an image that a person named, before the machine is removed for it.

    Raises ImageMissing if it is not available, ImageUnfit if no machine of this environment can be made from it, or if it is of
    another owner than Debian's and `foreign_owner` does not name that owner; and ClientError.
    """
    image = check(context, image_id)
    doing = f"checking the image {image} for '{context.settings.name}'"
    if faults := list(_find_faults(image, context.settings.controller.root_gib)):
        raise ImageUnfit(
            doing, "\n".join(faults), "Name another image, or leave --to out: then it is Debian's newest one."
        )
    own = _find_owner(context)
    if image.owner == own or image.owner == foreign_owner:
        return
    expected = (
        f"Debian's images in this region are of the account {own}"
        if own
        else "which account has Debian's images is not known"
    )
    remedy = f"The machine would run what that account put into it. If you trust it, add: --foreign-owner {image.owner}"
    raise ImageUnfit(doing, f"it is of the account {image.owner or '(unknown)'}; {expected}", remedy)


def _find_faults(image: images.Image, root_gib: int) -> Iterator[str]:
    if image.architecture != images.ARCHITECTURE:
        yield f"its architecture is {image.architecture or 'unknown'}; the machine needs {images.ARCHITECTURE}"
    if image.root_type != "ebs":
        yield f"its root device is on '{image.root_type}'; the machine needs EBS"
    if image.root_gib > root_gib:
        yield f"its root volume needs {image.root_gib} GiB, and 'controller.root_gib' is {root_gib}"


def _find_owner(context: Context) -> str:
    """The account of Debian's images in this region; '' if there is no newest image to ask."""
    try:
        return images.describe(context.world.aws, images.read_newest(context.world.aws)).owner
    except ImageMissing:
        return ""


def report_image_choice(context: Context, report: Reporter) -> None:
    """Report what a plan says about the image; nothing if 'image upgrade' chose one."""
    for line in () if context.chosen_image else machine_image.describe_state(context):
        report.notice(line)


def await_rest(context: Context, report: Reporter) -> None:
    """Wait for the operations that a killed command left behind on the stacks: nothing can be planned before. StackFailed."""
    busy = [existing for existing in context.stacks.values() if states.is_busy(existing.status)]
    for existing in busy:
        stack.await_rest(context.world.aws("cloudformation"), existing.name, report)
    if busy:
        context.forget()


def settle(context: Context, existing: dict[str, Stack], report: Reporter, *, is_gone: bool) -> None:
    """Wait for an operation on the machine's stack, then check the image if the machine must be made; `is_gone` says that.

    An operation that a killed command left behind may change the pinned image, or give the earlier one back: afterwards
    `existing` has the stack as it is. Raises ImageMissing and StackFailed.
    """
    controller = existing.get("controller")
    if controller is not None and states.is_busy(controller.status):
        settled = stack.await_rest(context.world.aws("cloudformation"), controller.name, report)
        existing.pop("controller")
        existing |= {"controller": settled} if settled else {}
        controller = settled
    if is_gone or controller is None or "InstanceId" not in controller.outputs:
        check(context, choose(context, existing))
