"""Log groups, alarms and event rules."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


class LogGroup(Tagged):
    """AWS::Logs::LogGroup; Ref is its name."""

    type = "AWS::Logs::LogGroup"
    service = "logs"
    tagging = Tagging(
        "logGroupName", put="tag_log_group", take="untag_log_group", tags="tags", keys="tags", as_map=True
    )

    def create(self, to: To) -> str:
        """The group, then how long it keeps."""
        name = str(to.get("LogGroupName") or to.name(512))
        to.call("logs", "create_log_group", logGroupName=name, **({"kmsKeyId": k} if (k := to.get("KmsKeyId")) else {}))
        to.physical_id = name
        if "RetentionInDays" in to.properties:
            self._keep(to)
        return name

    def update(self, to: To) -> None:
        """Retention and key."""
        if "RetentionInDays" in to.changed:
            self._keep(to)
        if "KmsKeyId" in to.changed:
            if "KmsKeyId" in to.properties:
                to.call("logs", "associate_kms_key", logGroupName=to.physical_id, kmsKeyId=to.get("KmsKeyId"))
            else:
                to.call("logs", "disassociate_kms_key", logGroupName=to.physical_id)

    def delete(self, to: To) -> None:
        """With what it holds."""
        to.call("logs", "delete_log_group", logGroupName=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN."""
        found = to.call("logs", "describe_log_groups", logGroupNamePrefix=to.physical_id)["logGroups"]
        mine = [one for one in found if one["logGroupName"] == to.physical_id]
        if not mine:
            raise Gone(f"The log group {to.physical_id} does not exist")
        return {"Arn": mine[0]["arn"]}

    def _keep(self, to: To) -> None:
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
        """The same call makes and alters."""
        name = str(to.get("AlarmName") or to.name(255))
        self._put(to, name)
        return name

    def update(self, to: To) -> None:
        """Put again."""
        self._put(to, to.physical_id)

    def delete(self, to: To) -> None:
        """By name."""
        to.call("cloudwatch", "delete_alarms", AlarmNames=[to.physical_id])

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN."""
        found = to.call("cloudwatch", "describe_alarms", AlarmNames=[to.physical_id])
        if not found["MetricAlarms"]:
            raise Gone(f"The alarm {to.physical_id} does not exist")
        return {"Arn": at(found, "MetricAlarms.0.AlarmArn")}

    def _put(self, to: To, name: str) -> None:
        given = {key: value for key, value in to.properties.items() if key not in {"AlarmName", "Tags"}}
        to.call("cloudwatch", "put_metric_alarm", AlarmName=name, **given)


class EventRule(Tagged):
    """AWS::Events::Rule; Ref is its name."""

    type = "AWS::Events::Rule"
    service = "events"
    tagging = Tagging("ResourceARN", target="Arn")

    def create(self, to: To) -> str:
        """The rule, then its targets."""
        name = str(to.get("Name") or to.name(64))
        self._put(to, name)
        to.initiated(name)
        self._aim(to, name, to.get("Targets") or [])
        return name

    def update(self, to: To) -> None:
        """Put again; targets that are gone are removed."""
        self._put(to, to.physical_id)
        wanted = to.get("Targets") or []
        gone = {one["Id"] for one in to.old.get("Targets") or []} - {one["Id"] for one in wanted}
        if gone:
            to.call("events", "remove_targets", Rule=to.physical_id, Ids=sorted(gone), **self._bus(to))
        self._aim(to, to.physical_id, wanted)

    def delete(self, to: To) -> None:
        """Its targets first."""
        targets = [one["Id"] for one in to.get("Targets") or []]
        if targets:
            to.call("events", "remove_targets", Rule=to.physical_id, Ids=targets, **self._bus(to))
        to.call("events", "delete_rule", Name=to.physical_id, **self._bus(to))

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN."""
        return {"Arn": to.call("events", "describe_rule", Name=to.physical_id, **self._bus(to))["Arn"]}

    def _put(self, to: To, name: str) -> None:
        given = to.pick("ScheduleExpression", "State", "Description", "RoleArn")
        to.call(
            "events", "put_rule", Name=name, EventPattern=policy_text(to.get("EventPattern")), **given, **self._bus(to)
        )

    def _aim(self, to: To, name: str, targets: list[dict[str, Any]]) -> None:
        if targets:
            to.call("events", "put_targets", Rule=name, Targets=targets, **self._bus(to))

    def _bus(self, to: To) -> dict[str, Any]:
        return to.pick("EventBusName")


ADAPTERS = (LogGroup(), Alarm(), EventRule())
