"""The images of an environment in a region where Debian publishes none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from bootstrap.cloud.images import Image
from bootstrap.context import Context
from bootstrap.values import Stack
from bootstrap.views import machine_image

PINNED = "ami-00000001"


def open_context(*available: str) -> Context:
    images = [{"ImageId": it, "Name": "debian-13", "CreationDate": "2026-01-02T"} for it in available]
    client: Any = SimpleNamespace(
        get_parameters=lambda **_: {"Parameters": []}, describe_images=lambda **_: {"Images": images}
    )
    stacks = {"controller": Stack("c", "CREATE_COMPLETE", {}, {"ImageId": PINNED})}
    return cast(
        Context, SimpleNamespace(world=SimpleNamespace(aws=lambda _: client), stacks=stacks, tool="./bootstrap.py")
    )


def test_the_pinned_image_is_read_where_the_newest_one_is_unknown() -> None:
    found = machine_image.read_machine_image(open_context(PINNED))

    assert Image(PINNED, "debian-13", "2026-01-02", is_available=True) == found.pinned
    assert found.newest is None and "no public parameter" in found.unknown
    assert found.is_newest


def test_a_plan_says_what_is_not_known_and_what_to_do_for_an_image_that_is_gone() -> None:
    (line,) = machine_image.describe_state(open_context(PINNED))
    assert line.startswith("whether a newer image is there is not known: this region has no public parameter")

    (line,) = machine_image.describe_state(open_context())
    assert "image upgrade --to AMI' takes another one" in line
