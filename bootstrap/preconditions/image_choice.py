"""Which image (AMI) the machine gets: the pinned one, the newest at the first launch, or the one that 'image upgrade' chose."""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.acts import stack
from bootstrap.cloud import images
from bootstrap.context import Context
from bootstrap.errors import ImageMissing
from bootstrap.stacks import states
from bootstrap.values import Reporter, Stack
from bootstrap.views import machine_image


def choose(context: Context, existing: Mapping[str, Stack]) -> str:
    """The id of the image. Raises ImageMissing and ClientError where the newest one must be looked up."""
    return context.chosen_image or machine_image.find_pinned(existing) or images.read_newest(context.world.aws)


def check(context: Context, image_id: str) -> None:
    """Raises ImageMissing if no instance can be made from the image, and ClientError."""
    if not images.describe(context.world.aws, image_id).is_available:
        raise ImageMissing(
            f"making a machine for '{context.settings.name}'",
            f"its image {image_id} is no longer available: Debian deregistered it, or it is not public any more",
            f"Take the newest one: {context.tool} image upgrade",
        )


def tell(context: Context, report: Reporter) -> None:
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
