"""Log groups, alarms and event rules."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


class LogGroup(Tagged):
    """AWS::Logs::LogGroup; Ref is its name."""

    type = "AWS::Logs::LogGroup"
    service = "logs"
    tagging = Tagging(
        "logGroupName", add="tag_log_group", remove="untag_log_group", tags="tags", keys="tags", as_map=True
    )

    def create(self, to: To) -> str:
        """Create the log group, set its retention in days, and return its name."""
        name = str(to.get("LogGroupName") or to.generate_name())
        to.call("logs", "create_log_group", logGroupName=name, **({"kmsKeyId": k} if (k := to.get("KmsKeyId")) else {}))
        to.physical_id = name
        if "RetentionInDays" in to.properties:
            self._set_retention(to)
        return name

    def update(self, to: To) -> None:
        """Change the retention and the key."""
        if "RetentionInDays" in to.changed:
            self._set_retention(to)
        if "KmsKeyId" in to.changed:
            if "KmsKeyId" in to.properties:
                to.call("logs", "associate_kms_key", logGroupName=to.physical_id, kmsKeyId=to.get("KmsKeyId"))
            else:
                to.call("logs", "disassociate_kms_key", logGroupName=to.physical_id)

    def delete(self, to: To) -> None:
        """Delete the log group with its data."""
        to.call("logs", "delete_log_group", logGroupName=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN. Raises Gone when the log group does not exist."""
        groups = to.call("logs", "describe_log_groups", logGroupNamePrefix=to.physical_id)["logGroups"]
        matches = [one for one in groups if one["logGroupName"] == to.physical_id]
        if not matches:
            raise Gone(f"The log group {to.physical_id} does not exist")
        return {"Arn": matches[0]["arn"]}

    def _set_retention(self, to: To) -> None:
        if "RetentionInDays" in to.properties:
            days = to.get("RetentionInDays")
            to.call("logs", "put_retention_policy", logGroupName=to.physical_id, retentionInDays=days)
        else:
            to.call("logs", "delete_retention_policy", logGroupName=to.physical_id)


class Alarm(Tagged):
    """AWS::CloudWatch::Alarm; Ref is its name."""

    type = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    tagging = Tagging("ResourceARN", target="Arn")

    def create(self, to: To) -> str:
        """Create the alarm and return its name; the same call creates and updates an alarm."""
        name = str(to.get("AlarmName") or to.generate_name())
        self._set_alarm(to, name)
        return name

    def update(self, to: To) -> None:
        """Replace the alarm's settings."""
        self._set_alarm(to, to.physical_id)

    def delete(self, to: To) -> None:
        """Delete the alarm."""
        to.call("cloudwatch", "delete_alarms", AlarmNames=[to.physical_id])

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN. Raises Gone when the alarm does not exist."""
        answer = to.call("cloudwatch", "describe_alarms", AlarmNames=[to.physical_id])
        if not answer["MetricAlarms"]:
            raise Gone(f"The alarm {to.physical_id} does not exist")
        return {"Arn": find_at(answer, "MetricAlarms.0.AlarmArn")}

    def _set_alarm(self, to: To, name: str) -> None:
        parameters = {key: value for key, value in to.properties.items() if key not in {"AlarmName", "Tags"}}
        to.call("cloudwatch", "put_metric_alarm", AlarmName=name, **parameters)


class EventRule(Tagged):
    """AWS::Events::Rule; Ref is its name."""

    type = "AWS::Events::Rule"
    service = "events"
    tagging = Tagging("ResourceARN", target="Arn")

    def create(self, to: To) -> str:
        """Create the rule, then its targets; return its name."""
        name = str(to.get("Name") or to.generate_name())
        self._set_rule(to, name)
        to.initiated(name)
        self._set_targets(to, name, to.get("Targets") or [])
        return name

    def update(self, to: To) -> None:
        """Replace the rule's settings, remove the targets that are no longer named, and set the others."""
        self._set_rule(to, to.physical_id)
        targets = to.get("Targets") or []
        removed = {one["Id"] for one in to.old.get("Targets") or []} - {one["Id"] for one in targets}
        if removed:
            to.call("events", "remove_targets", Rule=to.physical_id, Ids=sorted(removed), **self._name_bus(to))
        self._set_targets(to, to.physical_id, targets)

    def delete(self, to: To) -> None:
        """Remove the targets, then delete the rule."""
        targets = [one["Id"] for one in to.get("Targets") or []]
        if targets:
            to.call("events", "remove_targets", Rule=to.physical_id, Ids=targets, **self._name_bus(to))
        to.call("events", "delete_rule", Name=to.physical_id, **self._name_bus(to))

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN."""
        return {"Arn": to.call("events", "describe_rule", Name=to.physical_id, **self._name_bus(to))["Arn"]}

    def _set_rule(self, to: To, name: str) -> None:
        parameters = to.pick("ScheduleExpression", "State", "Description", "RoleArn")
        to.call(
            "events",
            "put_rule",
            Name=name,
            EventPattern=format_policy(to.get("EventPattern")),
            **parameters,
            **self._name_bus(to),
        )

    def _set_targets(self, to: To, name: str, targets: list[dict[str, Any]]) -> None:
        if targets:
            to.call("events", "put_targets", Rule=name, Targets=targets, **self._name_bus(to))

    def _name_bus(self, to: To) -> dict[str, Any]:
        return to.pick("EventBusName")


ADAPTERS = (LogGroup(), Alarm(), EventRule())
