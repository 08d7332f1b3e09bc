"""Reads the properties of a resource back from its service, for the comparison with the template.

`READS` has the calls for each type; there is one module for each group of services. A property is read from the member of the
answer with the same name, in any case; `Read.ways` has the exceptions. The first call of a type shows whether the resource
exists. A property counts as modelled only if these calls can read it back (see `modelled_properties`).
Imported by: comparison, operations.
"""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.reading import (
    compute,
    connectivity,
    databases,
    identity,
    messages,
    network,
    observation,
    route53,
    scaling,
    storage,
    supervision,
    systems,
)
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import read_own_tags
from bootstrap.local.aws.cloudformation.template import schemas

MODULES = (
    network,
    connectivity,
    compute,
    scaling,
    identity,
    storage,
    databases,
    messages,
    observation,
    supervision,
    systems,
    route53,
)
READS: dict[str, tuple[Read, ...]] = {kind: reads for module in MODULES for kind, reads in module.READS.items()}


def is_by_id(kind: str) -> bool:
    """Whether a resource of this type can be read by its physical id alone."""
    return kind in READS and "#" not in str([read.asks for read in READS[kind]])


def read_properties(to: Context) -> dict[str, Any]:
    """The properties of the resource in its service, as far as they can be read; raises Gone."""
    schema = schemas.load(to.type, to.region) or {}
    reads = [read for read in READS[to.type] if not read.when or read.when in to.properties]
    claimed = {name for read in reads for name in read.ways}
    plain = schemas.list_settable(schema) - claimed
    values: dict[str, Any] = {}
    for number, read in enumerate(reads):
        try:
            answer_part = read.call(to)
        except Gone:
            if number == 0:
                raise
            continue  # this setting of the resource does not exist
        if answer_part is None and number == 0:
            raise Gone(f"{to.physical_id} does not exist")
        for name, value in read.convert(answer_part, plain, to).items():
            values.setdefault(name, value)
    tags = schemas.find_tag_property(schema)
    if tags in values:
        values[tags] = read_own_tags(values[tags], schema, tags, to)
    return values
