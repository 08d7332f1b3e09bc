"""SNS, SQS, EventBridge and SES."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_after, read_each

PROTOCOLS = {"http/s": "HTTP", "sqs": "SQS", "lambda": "Lambda", "firehose": "Firehose", "application": "Application"}


def _read_subscriptions(part: Any, to: Context) -> list[dict[str, str]]:
    """The subscriptions in the template; others can be resources of their own."""
    named = to.get("Subscription") or []
    subscriptions = [{"Protocol": item["Protocol"], "Endpoint": item["Endpoint"]} for item in part["Subscriptions"]]
    return [item for item in subscriptions if item in named]


def _read_deliveries(part: Any, to: Context) -> list[dict[str, Any]]:
    settings = []
    for item in to.get("DeliveryStatusLogging") or []:
        kind = PROTOCOLS[item["Protocol"]]
        names = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
        roles = {name: part[f"{kind}{name}"] for name in names if f"{kind}{name}" in part}
        settings.append({"Protocol": item["Protocol"], **roles})
    return settings


def _read_targets_with(name: str, service: str, method: str, key: str, path: str, **more: Any) -> Way:
    """Reads the members of the list `name` for which the call returns a value at `path`."""

    def read(_: Any, to: Context) -> list[Any]:
        return [item for item in to.get(name) or [] if find_at(to.call(service, method, **{key: item}, **more), path)]

    return read


def _make_tags_read(service: str, key: str, ask: str, method: str = "list_tags_for_resource", root: str = "") -> Read:
    return Read(service, method, {key: ask}, root)


def _read_targets(part: Any, _: Context) -> Any:
    return part.get("Targets") or None


_QUEUES: dict[str, Any] = {"AttributeNames": ["Policy"]}
READS: dict[str, tuple[Read, ...]] = {
    "AWS::SNS::Topic": (
        Read(
            "sns",
            "get_topic_attributes",
            {"TopicArn": "@id"},
            "Attributes",
            {"TopicName": read_after("TopicArn", ":"), "DeliveryStatusLogging": _read_deliveries},
        ),
        Read(
            "sns",
            "list_subscriptions_by_topic",
            {"TopicArn": "@id"},
            ways={"Subscription": _read_subscriptions},
            plain=False,
        ),
        _make_tags_read("sns", "ResourceArn", "@id"),
    ),
    "AWS::SNS::Subscription": (Read("sns", "get_subscription_attributes", {"SubscriptionArn": "@id"}, "Attributes"),),
    "AWS::SNS::TopicPolicy": (
        Read(
            "sns",
            "list_topics",
            {},
            ways={
                "PolicyDocument": read_each("Topics", "sns", "get_topic_attributes", "TopicArn", "Attributes.Policy"),
                "Topics": _read_targets_with("Topics", "sns", "get_topic_attributes", "TopicArn", "Attributes.Policy"),
            },
            plain=False,
        ),
    ),
    "AWS::SQS::Queue": (
        Read(
            "sqs",
            "get_queue_attributes",
            {"QueueUrl": "@id", "AttributeNames": ["All"]},
            "Attributes",
            {"QueueName": read_after("QueueArn", ":")},
        ),
        _make_tags_read("sqs", "QueueUrl", "@id", "list_queue_tags"),
    ),
    "AWS::SQS::QueuePolicy": (
        Read(
            "sqs",
            "list_queues",
            {},
            ways={
                "PolicyDocument": read_each(
                    "Queues", "sqs", "get_queue_attributes", "QueueUrl", "Attributes.Policy", **_QUEUES
                ),
                "Queues": _read_targets_with(
                    "Queues", "sqs", "get_queue_attributes", "QueueUrl", "Attributes.Policy", **_QUEUES
                ),
            },
            plain=False,
        ),
    ),
    "AWS::Events::Rule": (
        Read("events", "describe_rule", {"Name": "@id", "EventBusName": "#EventBusName"}),
        Read(
            "events",
            "list_targets_by_rule",
            {"Rule": "@id", "EventBusName": "#EventBusName"},
            ways={"Targets": _read_targets},
            plain=False,
        ),
        _make_tags_read("events", "ResourceARN", "@Arn"),
    ),
    "AWS::SES::EmailIdentity": (
        Read(
            "sesv2",
            "get_email_identity",
            {"EmailIdentity": "@id"},
            "",
            {
                "EmailIdentity": lambda part, to: to.physical_id,
                "ConfigurationSetAttributes": lambda part, to: (
                    part.get("ConfigurationSetName") and {"ConfigurationSetName": part["ConfigurationSetName"]}
                ),
                "FeedbackAttributes": lambda part, to: {"EmailForwardingEnabled": part.get("FeedbackForwardingStatus")},
            },
        ),
    ),
    "AWS::SES::ConfigurationSet": (
        Read(
            "sesv2",
            "get_configuration_set",
            {"ConfigurationSetName": "@id"},
            "",
            {"Name": "ConfigurationSetName"},
        ),
    ),
}
