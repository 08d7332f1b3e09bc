"""The image that a person named is examined before the machine is removed for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bootstrap.context import Context
from bootstrap.errors import ImageMissing, ImageUnfit
from bootstrap.preconditions import image_choice

DEBIAN, OTHER = "136693071363", "111122223333"
NEWEST, NAMED = "ami-00000001", "ami-00000002"


class Cloud:
    """EC2 and SSM with the newest image and the named one; `newest` is None in a region without the public parameter."""

    def __init__(self, newest: str | None = NEWEST, **changes: Any) -> None:
        self.newest = newest
        good = {
            "State": "available",
            "OwnerId": DEBIAN,
            "Architecture": "x86_64",
            "RootDeviceType": "ebs",
            "RootDeviceName": "/dev/xvda",
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 500}},
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}},
            ],
        }
        self.images = {NEWEST: good, NAMED: good | changes}

    def aws(self, _: str) -> Any:
        return SimpleNamespace(get_parameters=self.get_parameters, describe_images=self.describe_images)

    def get_parameters(self, **_: Any) -> Any:
        return {"Parameters": [{"Value": self.newest}] if self.newest else []}

    def describe_images(self, **asked: Any) -> Any:
        return {"Images": [self.images[name] for name in asked["Filters"][0]["Values"] if name in self.images]}


def check(cloud: Cloud, foreign_owner: str | None = None, root_gib: int = 16) -> None:
    settings = SimpleNamespace(name="x", controller=SimpleNamespace(root_gib=root_gib))
    context = SimpleNamespace(world=cloud, settings=settings, tool="./bootstrap.py")
    image_choice.check_other(cast(Context, context), NAMED, foreign_owner)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Architecture": "arm64"}, "its architecture is arm64; the machine needs x86_64"),
        ({"RootDeviceType": "instance-store"}, "its root device is on 'instance-store'; the machine needs EBS"),
    ],
)
def test_an_image_of_which_no_machine_can_be_made_is_refused(changes: dict[str, str], told: str) -> None:
    with pytest.raises(ImageUnfit) as caught:
        check(Cloud(**changes))

    assert told == caught.value.found


def test_a_root_volume_that_is_too_small_for_the_image_is_told_with_its_key() -> None:
    with pytest.raises(ImageUnfit, match=r"needs 8 GiB, and 'controller\.root_gib' is 7"):
        check(Cloud(), root_gib=7)
    check(Cloud(), root_gib=8)


def test_an_image_of_another_owner_is_taken_only_if_the_owner_is_named() -> None:
    with pytest.raises(ImageUnfit) as caught:
        check(Cloud(OwnerId=OTHER))
    assert OTHER in caught.value.found and DEBIAN in caught.value.found
    assert f"--foreign-owner {OTHER}" in caught.value.remedy

    with pytest.raises(ImageUnfit):
        check(Cloud(OwnerId=OTHER), "444455556666")
    check(Cloud(OwnerId=OTHER), OTHER)


def test_where_the_owner_of_debians_images_is_unknown_every_owner_must_be_named() -> None:
    with pytest.raises(ImageUnfit, match="is not known"):
        check(Cloud(newest=None))
    check(Cloud(newest=None), DEBIAN)


def test_an_image_that_is_gone_is_missing_whoever_owned_it() -> None:
    cloud = Cloud()
    del cloud.images[NAMED]

    with pytest.raises(ImageMissing):
        check(cloud, OTHER)
