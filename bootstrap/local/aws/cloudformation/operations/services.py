"""What every stack operation uses: the stored stacks, the clients of the local cloud's services, and the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.store import Store
from bootstrap.local.aws.cloudformation.template.scope import Scopes
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.faults import Faults
from bootstrap.local.aws.server.signals import Signals


@dataclass(frozen=True)
class Services:
    """The engine makes this once and passes it to all parts of an operation; `closing` is set when the server stops."""

    store: Store
    scopes: Scopes
    client: Callable[[str, str], Any]  # by service and region
    door: Door
    faults: Faults
    signals: Signals
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def is_closing(self) -> bool:
        """Whether the server stops, so that no new step begins."""
        return self.closing.is_set()
