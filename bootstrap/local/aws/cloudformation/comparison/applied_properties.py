"""Checks whether a service has taken over the properties of a resource: compares them with what the service returns.

moto answers some changes with success and ignores them. So an update counts only if the service returns the new values
afterwards. Properties that it never returns (see `modelled_properties`) are not checked.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bootstrap.local.aws.cloudformation import reading
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.comparison import modelled_properties
from bootstrap.local.aws.cloudformation.comparison.property_differences import Difference, compare_properties
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.template import schemas


def find_differences(kind: str, region: str, expected: dict[str, Any], actual: dict[str, Any]) -> list[Difference]:
    """The differences between the properties of a template and those read back, of properties that can be compared."""
    hidden = schemas.write_only(schemas.load(kind, region) or {})
    comparable = modelled_properties.remove_paths(expected, (*hidden, *modelled_properties.list_not_modelled(kind)))
    return compare_properties(comparable, actual, modelled_properties.list_arrived(kind))


def list_missing(to: Context, names: Collection[str]) -> list[str]:
    """Those of the properties `names` that the service returns with other values than requested; raises Gone."""
    if to.type not in reading.READS:
        return []
    try:
        actual = reading.read_properties(to)
    except Gone:
        raise
    except ResourceFailed:
        return []  # it cannot be read now, so no difference is known
    still_set = [name for name in names if name not in to.properties and _is_still_set(to, name, actual)]
    expected = {name: value for name, value in to.properties.items() if name in names}
    different = {
        difference["PropertyPath"].split("/")[1]
        for difference in find_differences(to.type, to.region, expected, actual)
    }
    return sorted({*still_set, *different})


def _is_still_set(to: Context, name: str, actual: dict[str, Any]) -> bool:
    """Whether a property that was removed from the template still has its old value; not for a property with a default."""
    before = {name: to.old.get(name)}
    has_default = "default" in (schemas.load(to.type, to.region) or {}).get("properties", {}).get(name, {})
    return not has_default and name in actual and not find_differences(to.type, to.region, before, actual)
