"""Create, change, delete and read each type of resource: one module per service.

`find` returns the adapter of a type. A type without an adapter is refused, except for the types in `stand_ins`: they are
accepted, and listed as not modelled.
Imported by: comparison, operations, reading.
"""

from __future__ import annotations

import functools
import importlib

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, StandIn
from bootstrap.local.aws.cloudformation.stand_ins import STAND_INS

MODULES = (
    "ec2_network",
    "ec2_vpc_services",
    "ec2_blocks",
    "ec2_addresses",
    "ec2_security",
    "ec2_compute",
    "ec2_storage",
    "iam",
    "secrets",
    "keys",
    "observability",
    "messaging",
    "storage",
    "dns",
    "autoscaling",
    "launch_configurations",
    "schedules",
    "databases",
    "balancing",
    "ec2_connectivity",
    "files",
    "containers",
    "functions",
    "systems",
    "identities",
    "service_roles",
    "certificates",
    "monitoring",
    "audit",
    "costs",
    "mail",
    "repositories",
    "backup",
    "direct_connect",
    "resource_groups",
    "tables",
    "nested",
    "waiting",
)


@functools.cache
def _collect_adapters() -> dict[str, Adapter]:
    adapters: dict[str, Adapter] = {}
    for name in MODULES:
        module = importlib.import_module(f"{__name__}.{name}")
        adapters.update({adapter.type: adapter for adapter in module.ADAPTERS})
    return adapters


def find(kind: str) -> Adapter | None:
    """Return the adapter of a resource type, or None."""
    adapter = _collect_adapters().get(kind)
    if adapter is None and kind in STAND_INS:
        return StandIn(kind)
    return adapter


def list_known() -> frozenset[str]:
    """Return the types that have a real adapter, without the stand-ins."""
    return frozenset(_collect_adapters())
