"""Attributes that several resources change at once."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.operations import resource_contexts
from bootstrap.local.aws.cloudformation.operations.resource_contexts import ResourceContexts


class Vpc:
    """An adapter whose first reader is slow: it has read the blocks, and another one is added before it answers."""

    def __init__(self) -> None:
        self.blocks = ["10.0.0.0/16"]
        self.first_has_read, self.goes_on = threading.Event(), threading.Event()

    def read_attributes(self, _: Any) -> dict[str, Any]:
        read = {"Blocks": list(self.blocks)}
        if not self.first_has_read.is_set():
            self.first_has_read.set()
            self.goes_on.wait(5)
        return read


def test_of_two_blocks_that_are_added_at_once_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    vpc = SimpleNamespace(type="vpc", physical_id="vpc-1", properties={}, tags={}, attributes={})
    services: Any = SimpleNamespace(store=SimpleNamespace(lock=threading.RLock()))
    stack: Any = SimpleNamespace(resources={"Vpc": vpc}, operation=SimpleNamespace(id="1"))
    nothing: Any = None
    contexts = ResourceContexts(services, nothing, stack, nothing, nothing)
    adapter, block = Vpc(), SimpleNamespace(moves={"VpcId": ("Blocks",)})
    monkeypatch.setattr(resource_contexts.adapters, "find", lambda _: adapter)
    monkeypatch.setattr(contexts, "make", lambda *_: None)
    threads = [
        threading.Thread(target=contexts.refresh_named, args=(block, {"VpcId": "vpc-1"}), daemon=True) for _ in range(2)
    ]

    threads[0].start()
    assert adapter.first_has_read.wait(5)
    adapter.blocks.append("2001:db8::/56")
    threads[1].start()
    threads[1].join(0.2)  # without a lock it ends here
    adapter.goes_on.set()
    for thread in threads:
        thread.join(5)

    assert vpc.attributes == {"Blocks": ["10.0.0.0/16", "2001:db8::/56"]}
