"""Whether what a resource was asked to be has arrived at its service: what is read back is compared with what was asked.

moto answers some changes with success and drops them. An update is believed only where the service then tells the new value;
what it does not tell at all (see `modelled`) is not judged.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bootstrap.local.aws.cloudformation import reading
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.comparison import modelled
from bootstrap.local.aws.cloudformation.comparison.differing import Difference, differences
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.template import schemas


def differing(kind: str, region: str, asked: dict[str, Any], found: dict[str, Any]) -> list[Difference]:
    """What differs between a template's properties and those read back, among what can be compared."""
    hidden = schemas.write_only(schemas.load(kind, region) or {})
    comparable = modelled.without(asked, (*hidden, *modelled.not_modelled(kind)))
    return differences(comparable, found, modelled.arrived(kind))


def missing(to: Context, names: Collection[str]) -> list[str]:
    """Those of the named properties that the service tells otherwise than they were asked for; raises Gone."""
    if to.type not in reading.READS:
        return []
    try:
        found = reading.properties(to)
    except Gone:
        raise
    except ResourceFailed:
        return []  # it cannot be read now, so nothing speaks against it
    gone = [name for name in names if name not in to.properties and _is_kept(to, name, found)]
    asked = {name: value for name, value in to.properties.items() if name in names}
    told = {one["PropertyPath"].split("/")[1] for one in differing(to.type, to.region, asked, found)}
    return sorted({*gone, *told})


def _is_kept(to: Context, name: str, found: dict[str, Any]) -> bool:
    """Whether a property that was taken out of the template is still as it was; one that has a default may be that."""
    before = {name: to.old.get(name)}
    has_default = "default" in (schemas.load(to.type, to.region) or {}).get("properties", {}).get(name, {})
    return not has_default and name in found and not differing(to.type, to.region, before, found)
