"""Ends a lifecycle action that waits for longer than the HeartbeatTimeout of its hook, with the hook's DefaultResult.

It ends the action with a request that is journalled like all others. So a replay ends the action at the same place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.scaling import lifecycle

log = logging.getLogger(__name__)


def end_overdue(get_client: Callable[[str, str], Any]) -> None:
    """End all actions that are overdue now; an error of one request is only logged.

    `get_client` returns the client of a service in a region.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    for region, group, instance_id, hold in lifecycle.list_overdue_holds(time.time()):
        log.info("hook %s: ending the overdue action of %s in group %s: %s", hold.hook, instance_id, group, hold.result)
        try:
            get_client("autoscaling", region).complete_lifecycle_action(
                AutoScalingGroupName=group,
                LifecycleHookName=hold.hook,
                LifecycleActionToken=hold.token,
                LifecycleActionResult=hold.result,
            )
        except (ClientError, BotoCoreError) as error:  # another request has ended it, or the server stops
            log.info("ending the action of %s: %s", instance_id, error)
