"""Ends what a lifecycle hook has held for longer than its HeartbeatTimeout, with the hook's DefaultResult.

It is a request like any other, so it is journalled: a replay ends the hold at the same place.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.patches import lifecycle

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5


class Heartbeats:
    """Looks at the clock as long as the server runs; `client` gives the client of a service in a region."""

    def __init__(self, client: Callable[[str, str], Any]) -> None:
        self._client = client
        self._over = threading.Event()

    def start(self) -> None:
        """Begin to look, in a thread."""
        threading.Thread(target=self._run, name="heartbeats", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()

    def look(self) -> None:
        """End what is overdue now."""
        from botocore.exceptions import BotoCoreError, ClientError

        for region, group, instance_id, held in lifecycle.overdue(time.time()):
            log.info("%s holds %s of %s no longer: %s", held.hook, instance_id, group, held.result)
            try:
                self._client("autoscaling", region).complete_lifecycle_action(
                    AutoScalingGroupName=group,
                    LifecycleHookName=held.hook,
                    LifecycleActionToken=held.token,
                    LifecycleActionResult=held.result,
                )
            except (ClientError, BotoCoreError) as failure:  # somebody was quicker, or the server ends
                log.info("%s: %s", instance_id, failure)

    def _run(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                self.look()
            except Exception:  # a fault of ours must not let everything else be held for ever
                log.exception("looking for what is held too long")
