"""The order in which Java tells the keys of a mapping that was read from YAML: that of its hash table."""

from __future__ import annotations

from collections.abc import Collection


def _hash(text: str) -> int:
    value = 0
    for unit in memoryview(text.encode("utf-16-le")).cast("H"):
        value = (31 * value + unit) & 0xFFFFFFFF
    return value ^ (value >> 16)


def order_keys(keys: Collection[str]) -> list[str]:
    """The keys in the order of a java.util.HashMap that was made for as many as there are."""
    capacity = 1
    while capacity < len(keys):
        capacity *= 2
    if len(keys) > capacity * 0.75:
        capacity *= 2
    return sorted(keys, key=lambda key: _hash(key) & (capacity - 1))
