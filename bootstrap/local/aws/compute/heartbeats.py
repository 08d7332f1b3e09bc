"""Ends a lifecycle action that waits for longer than the HeartbeatTimeout of its hook, with the hook's DefaultResult.

It ends the action with a request that is journalled like all others. So a replay ends the action at the same place.
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
    """A thread that ends overdue actions; `get_client` returns the client of a service in a region."""

    def __init__(self, get_client: Callable[[str, str], Any]) -> None:
        self._get_client = get_client
        self._closed = threading.Event()

    def start(self) -> None:
        """Start the thread: it ends overdue actions twice a second."""
        threading.Thread(target=self._run, name="heartbeats", daemon=True).start()

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()

    def end_overdue(self) -> None:
        """End all actions that are overdue now; an error of one request is only logged."""
        from botocore.exceptions import BotoCoreError, ClientError

        for region, group, instance_id, hold in lifecycle.list_overdue_holds(time.time()):
            log.info(
                "hook %s: ending the overdue action of %s in group %s: %s", hold.hook, instance_id, group, hold.result
            )
            try:
                self._get_client("autoscaling", region).complete_lifecycle_action(
                    AutoScalingGroupName=group,
                    LifecycleHookName=hold.hook,
                    LifecycleActionToken=hold.token,
                    LifecycleActionResult=hold.result,
                )
            except (ClientError, BotoCoreError) as error:  # another request has ended it, or the server stops
                log.info("ending the action of %s: %s", instance_id, error)

    def _run(self) -> None:
        while not self._closed.wait(PAUSE_SECONDS):
            try:
                self.end_overdue()
            except Exception:  # the thread must go on, or later actions would wait for ever
                log.exception("cannot end overdue lifecycle actions")
