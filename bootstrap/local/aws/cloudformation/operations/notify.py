"""Publishes each event to the topics of its stack (NotificationARNs), with the text of CloudFormation's messages.

Each event is published once: the stack's file has the number of published events, and after a kill the journal has the answers
of requests that were made already.
"""

from __future__ import annotations

import datetime
import json
import logging
import threading
from typing import Any

from bootstrap.local.aws.cloudformation.store import Event, Stack
from bootstrap.local.aws.server.door import Door

log = logging.getLogger(__name__)

SUBJECT = "AWS CloudFormation Notification"


class Notifier:
    """Publishes the new events of a stack when the stack is saved."""

    def __init__(self, door: Door, client: Any) -> None:
        self._door = door
        self._client = client
        self._lock = threading.Lock()

    def publish_events(self, stack: Stack) -> None:
        """Publish the events since the last call."""
        with self._lock:
            new = stack.events[stack.told :]
            for event in new if stack.wanted.notification_arns else ():
                with self._door.enter_operation(f"notify/{event.id}"):
                    self._publish(stack, event)
            stack.told += len(new)

    def _publish(self, stack: Stack, event: Event) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        for topic in stack.wanted.notification_arns:
            try:
                sns = self._client("sns", topic.split(":")[3])
                sns.publish(TopicArn=topic, Subject=SUBJECT, Message=format_message(stack, event))
            except (ClientError, BotoCoreError, IndexError) as failure:  # a deleted topic does not stop a stack
                log.warning("telling %s of %s: %s", topic, stack.name, failure)


def format_message(stack: Stack, event: Event) -> str:
    """Return an event as lines of NAME='VALUE', the text of SNS notifications."""
    when = datetime.datetime.fromtimestamp(event.time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    resource = stack.resources.get(event.logical_id)
    lines = {
        "StackId": stack.id,
        "Timestamp": when,
        "EventId": event.id,
        "LogicalResourceId": event.logical_id,
        "Namespace": stack.account,
        "PhysicalResourceId": event.physical_id,
        "PrincipalId": stack.account,
        "ResourceProperties": json.dumps(resource.properties) if resource else "null",
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "ResourceType": event.type,
        "StackName": stack.name,
        "ClientRequestToken": event.token or "null",
    }
    return "".join(f"{name}='{value}'\n" for name, value in lines.items())
