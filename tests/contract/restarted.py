"""An emulator that is started again: a client of it, and how its state is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jenkins


def connect(emulator: Any) -> Any:
    client = jenkins.Jenkins(emulator.url, "admin", "admin-password", timeout=30)
    client.get_whoami()
    return client


def wait(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not what() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert what()
