"""Every name of moto that is replaced must be there: this fails first when moto's version moves."""

from __future__ import annotations

import importlib
import json
from functools import reduce
from pathlib import Path

import pytest

from bootstrap.local.aws import patches
from bootstrap.local.aws.compute import images


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in patches.NAMES.items() for name in names]
)
def test_patched_name_exists(module: str, name: str) -> None:
    owner = importlib.import_module(module)
    assert callable(reduce(getattr, name.split("."), owner))


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in patches.ADDED.items() for name in names]
)
def test_moto_has_nothing_of_what_is_added(module: str, name: str) -> None:
    """Once moto has it itself, the addition would hide it."""
    owner, _, added = name.rpartition(".")
    assert not hasattr(getattr(importlib.import_module(module), owner), added)


@pytest.mark.parametrize("module", sorted({*patches.NAMES, *patches.ADDED}))
def test_every_module_that_is_named_has_its_patch(module: str) -> None:
    method = "_" + module.removeprefix("moto.").replace(".", "_").replace("__", "_")
    assert callable(getattr(patches.Patches, method))


def test_variables_point_to_a_list_of_images_that_holds_debian(tmp_path: Path) -> None:
    path = Path(patches.make_environment(tmp_path)["MOTO_AMIS_PATH"])
    assert [images.FIRST.id] == [one["ami_id"] for one in json.loads(path.read_text())]
