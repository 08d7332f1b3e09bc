"""SNS topics and subscriptions, SQS queues, and the policies of topics and queues."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging


class Topic(Tagged):
    """AWS::SNS::Topic; Ref is its ARN."""

    type = "AWS::SNS::Topic"
    service = "sns"
    tagging = Tagging()
    NAMES = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")

    def create(self, to: To) -> str:
        """Create the topic, then its subscriptions; return its ARN."""
        name = str(to.get("TopicName") or to.generate_name())
        attributes = {key: str(to.get(key)) for key in self.NAMES if key in to.properties}
        if is_true(to.get("FifoTopic")):
            attributes["FifoTopic"] = "true"
        arn = str(to.call("sns", "create_topic", Name=name, Attributes=attributes)["TopicArn"])
        to.initiated(arn)
        for subscription in to.get("Subscription") or []:
            to.call(
                "sns", "subscribe", TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"]
            )
        return arn

    def update(self, to: To) -> None:
        """Change the attributes and the subscriptions that the topic's own template names."""
        for key in sorted(to.changed & set(self.NAMES)):
            value = str(to.get(key, ""))
            to.call("sns", "set_topic_attributes", TopicArn=to.physical_id, AttributeName=key, AttributeValue=value)
        before, after = to.old.get("Subscription") or [], to.get("Subscription") or []
        subscriptions = to.call("sns", "list_subscriptions_by_topic", TopicArn=to.physical_id)["Subscriptions"]
        for subscription in subscriptions:
            pair = {"Protocol": subscription["Protocol"], "Endpoint": subscription["Endpoint"]}
            if pair in before and pair not in after:
                to.call("sns", "unsubscribe", SubscriptionArn=subscription["SubscriptionArn"])
        for subscription in after:
            if subscription not in before:
                to.call(
                    "sns",
                    "subscribe",
                    TopicArn=to.physical_id,
                    Protocol=subscription["Protocol"],
                    Endpoint=subscription["Endpoint"],
                )

    def delete(self, to: To) -> None:
        """Delete the topic with its subscriptions."""
        to.call("sns", "delete_topic", TopicArn=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and name."""
        to.call("sns", "get_topic_attributes", TopicArn=to.physical_id)
        return {"TopicArn": to.physical_id, "TopicName": to.physical_id.rpartition(":")[2]}


class Subscription(Adapter):
    """AWS::SNS::Subscription; Ref is its ARN."""

    type = "AWS::SNS::Subscription"
    NAMES = ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "DeliveryPolicy", "RedrivePolicy")

    def create(self, to: To) -> str:
        """Create the subscription and return its ARN, even if it is not confirmed yet."""
        attributes = {key: _format_value(to.get(key)) for key in self.NAMES if key in to.properties}
        parameters = to.pick("TopicArn", "Protocol", "Endpoint")
        answer = to.call("sns", "subscribe", Attributes=attributes or None, ReturnSubscriptionArn=True, **parameters)
        return str(answer["SubscriptionArn"])

    def update(self, to: To) -> None:
        """Set each changed attribute by its own call."""
        for key in sorted(to.changed & set(self.NAMES)):
            parameters = {"SubscriptionArn": to.physical_id, "AttributeName": key}
            to.call("sns", "set_subscription_attributes", AttributeValue=_format_value(to.get(key, "")), **parameters)

    def delete(self, to: To) -> None:
        """Delete the subscription."""
        to.call("sns", "unsubscribe", SubscriptionArn=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN."""
        return {"Arn": to.physical_id}


class TopicPolicy(Adapter):
    """AWS::SNS::TopicPolicy; Ref is a generated name."""

    type = "AWS::SNS::TopicPolicy"

    def create(self, to: To) -> str:
        """Set the policy on each topic."""
        self.update(to)
        return to.generate_name()

    def update(self, to: To) -> None:
        """Set the policy on each topic again."""
        for topic in to.get("Topics") or []:
            text = format_policy(to.get("PolicyDocument"))
            to.call("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=text)

    def delete(self, to: To) -> None:
        """Set a policy that allows everything to the account: a topic always has one, and the earlier one is not known."""
        for topic in to.get("Topics") or []:
            owner = {"Effect": "Allow", "Principal": {"AWS": to.account}, "Action": "SNS:*", "Resource": topic}
            text = json.dumps({"Version": "2012-10-17", "Statement": [owner]})
            to.call("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy", AttributeValue=text)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class Queue(Tagged):
    """AWS::SQS::Queue; Ref is its URL."""

    type = "AWS::SQS::Queue"
    service = "sqs"
    tagging = Tagging("QueueUrl", add="tag_queue", remove="untag_queue", as_map=True)

    def create(self, to: To) -> str:
        """Create the queue; each property is an attribute of the same name. Return its URL."""
        name = str(to.get("QueueName") or to.generate_name())
        answer = to.call(
            "sqs", "create_queue", QueueName=name, Attributes=self._make_attributes(to, to.properties.keys()) or None
        )
        return str(answer["QueueUrl"])

    def update(self, to: To) -> None:
        """Set the changed attributes."""
        attributes = self._make_attributes(to, to.changed & to.properties.keys())
        if attributes:
            to.call("sqs", "set_queue_attributes", QueueUrl=to.physical_id, Attributes=attributes)

    def delete(self, to: To) -> None:
        """Delete the queue with its messages."""
        to.call("sqs", "delete_queue", QueueUrl=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN, name and URL."""
        answer = to.call("sqs", "get_queue_attributes", QueueUrl=to.physical_id, AttributeNames=["QueueArn"])
        name = to.physical_id.rpartition("/")[2]
        return {"Arn": answer["Attributes"]["QueueArn"], "QueueName": name, "QueueUrl": to.physical_id}

    def _make_attributes(self, to: To, names: Iterable[str]) -> dict[str, str]:
        return {key: _format_value(to.get(key)) for key in sorted(names) if key not in {"QueueName", "Tags"}}


class QueuePolicy(Adapter):
    """AWS::SQS::QueuePolicy; Ref is a generated name."""

    type = "AWS::SQS::QueuePolicy"

    def create(self, to: To) -> str:
        """Set the policy on each queue."""
        self._set_policy(to, format_policy(to.get("PolicyDocument")) or "")
        return to.generate_name()

    def update(self, to: To) -> None:
        """Set the policy on each queue again."""
        self._set_policy(to, format_policy(to.get("PolicyDocument")) or "")

    def delete(self, to: To) -> None:
        """Remove the policy from each queue; the call for that sets an empty one."""
        self._set_policy(to, "")

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}

    def _set_policy(self, to: To, text: str) -> None:
        for queue in to.get("Queues") or []:
            to.call("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": text})


def _format_value(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


ADAPTERS = (Topic(), Subscription(), TopicPolicy(), Queue(), QueuePolicy())
