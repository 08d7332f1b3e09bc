"""Stacks, events, resources and change sets in the form that CloudFormation's answers have."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.store import ChangeSet, Event, Resource, Stack, Wanted
from bootstrap.local.aws.cloudformation.template import parameters
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import capabilities
from bootstrap.local.aws.cloudformation.template.template import Template

Answer = dict[str, Any]


def stack(of: Stack, root: Stack) -> Answer:
    """A stack for DescribeStacks; the protection of a nested one is its root's."""
    return _filled(
        StackId=of.id,
        StackName=of.name,
        Description=of.description,
        Parameters=_parameters(of.wanted),
        CreationTime=of.created,
        LastUpdatedTime=of.updated,
        DeletionTime=of.deleted,
        StackStatus=of.status,
        StackStatusReason=of.reason,
        DisableRollback=of.disable_rollback,
        TimeoutInMinutes=of.timeout,
        NotificationARNs=of.wanted.notification_arns,
        Capabilities=of.wanted.capabilities,
        Outputs=[{"OutputKey": name, **output} for name, output in of.outputs.items()],
        RoleARN=of.wanted.role_arn,
        Tags=_tags(of.wanted.tags),
        EnableTerminationProtection=root.termination_protection,
        ParentId=of.parent,
        RootId=of.root,
        DriftInformation=_filled(StackDriftStatus=of.drift_status, LastCheckTimestamp=of.drift_checked),
        RollbackConfiguration=of.wanted.rollback,
    )


def summary(of: Stack) -> Answer:
    """A stack for ListStacks."""
    return _filled(
        StackId=of.id,
        StackName=of.name,
        TemplateDescription=of.description,
        CreationTime=of.created,
        LastUpdatedTime=of.updated,
        DeletionTime=of.deleted,
        StackStatus=of.status,
        StackStatusReason=of.reason,
        ParentId=of.parent,
        RootId=of.root,
        DriftInformation={"StackDriftStatus": of.drift_status},
    )


def event(of: Stack, one: Event) -> Answer:
    """One event."""
    return _filled(
        StackId=of.id,
        EventId=one.id,
        StackName=of.name,
        LogicalResourceId=one.logical_id,
        PhysicalResourceId=one.physical_id,
        ResourceType=one.type,
        Timestamp=one.time,
        ResourceStatus=one.status,
        ResourceStatusReason=one.reason,
        ClientRequestToken=one.token,
    )


def resource_summary(one: Resource) -> Answer:
    """A resource for ListStackResources."""
    drift = {"StackResourceDriftStatus": one.drift.get("StackResourceDriftStatus", "NOT_CHECKED")}
    return _filled(
        LogicalResourceId=one.logical_id,
        PhysicalResourceId=one.physical_id,
        ResourceType=one.type,
        LastUpdatedTimestamp=one.updated,
        ResourceStatus=one.status,
        ResourceStatusReason=one.reason,
        DriftInformation=drift,
    )


def resource(of: Stack, one: Resource) -> Answer:
    """A resource for DescribeStackResources."""
    found = resource_summary(one)
    found["Timestamp"] = found.pop("LastUpdatedTimestamp", of.created)
    return {"StackName": of.name, "StackId": of.id, **found}


def resource_detail(of: Stack, one: Resource) -> Answer:
    """A resource for DescribeStackResource."""
    return {"StackName": of.name, "StackId": of.id, **resource_summary(one)}


def change_set_summary(of: Stack, one: ChangeSet) -> Answer:
    """A change set for ListChangeSets."""
    return _filled(
        StackId=of.id,
        StackName=of.name,
        ChangeSetId=one.id,
        ChangeSetName=one.name,
        ExecutionStatus=one.execution_status,
        Status=one.status,
        StatusReason=one.reason,
        CreationTime=one.created,
        Description=one.description,
        IncludeNestedStacks=one.includes_nested,
        ParentChangeSetId=one.parent,
        RootChangeSetId=one.root,
    )


def change_set(of: Stack, one: ChangeSet, *, with_values: bool) -> Answer:
    """A change set for DescribeChangeSet; property values only when asked for."""
    return {
        **change_set_summary(of, one),
        **_filled(
            Parameters=_parameters(one.wanted),
            NotificationARNs=one.wanted.notification_arns,
            Capabilities=one.wanted.capabilities,
            Tags=_tags(one.wanted.tags),
            RollbackConfiguration=one.wanted.rollback,
            OnStackFailure=one.on_failure,
        ),
        "Changes": [_unhidden(of, one, change) if with_values else _change(change) for change in one.changes],
    }


def template_summary(template: Template) -> Answer:
    """What a template declares, for GetTemplateSummary."""
    declared = [
        _filled(
            ParameterKey=name,
            DefaultValue=None if "Default" not in body else str(body["Default"]),
            ParameterType=str(body.get("Type", "String")),
            NoEcho=parameters.is_hidden(body),
            Description=body.get("Description"),
            ParameterConstraints=_filled(AllowedValues=[str(one) for one in body.get("AllowedValues", [])]),
        )
        for name, body in template.section("Parameters").items()
    ]
    needed = capabilities(template)
    kinds = sorted({str(body["Type"]) for body in template.resources.values()})
    because = f"The following resource(s) require capabilities: [{', '.join(k for k in kinds if '::IAM::' in k)}]"
    return _filled(
        Parameters=declared,
        Description=template.document.get("Description"),
        Capabilities=needed,
        CapabilitiesReason=because if needed else None,
        ResourceTypes=kinds,
        Version="2010-09-09",
    )


def _unhidden(of: Stack, one: ChangeSet, change: Answer) -> Answer:
    """A change with its values, but for those of NoEcho parameters, the stack's own and the change set's."""
    body = dict(change["ResourceChange"])
    for wanted in [one.wanted, of.wanted] if of.wanted.template else [one.wanted]:
        template = read(wanted.template, wanted.parameters)
        for name in body.keys() & {"BeforeContext", "AfterContext"}:
            body[name] = json.dumps(parameters.masked(template, wanted.parameters, json.loads(body[name])))
        body["Details"] = parameters.masked(template, wanted.parameters, body["Details"])
    return {**change, "ResourceChange": body}


def _change(change: Answer) -> Answer:
    body = {key: value for key, value in change["ResourceChange"].items() if not key.endswith("Context")}
    hidden = {"BeforeValue", "AfterValue", "Path", "AttributeChangeType"}
    body["Details"] = [
        {**detail, "Target": {key: value for key, value in detail["Target"].items() if key not in hidden}}
        for detail in body["Details"]
    ]
    return {**change, "ResourceChange": body}


def _parameters(wanted: Wanted) -> list[Answer]:
    shown = parameters.shown(read(wanted.template, wanted.parameters), wanted.parameters)
    return [
        _filled(ParameterKey=name, ParameterValue=value, ResolvedValue=wanted.looked_up.get(name))
        | ({"ParameterValue": ""} if value == "" else {})
        for name, value in shown.items()
    ]


def _tags(tags: dict[str, str]) -> list[Answer]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _filled(**values: Any) -> Answer:
    return {key: value for key, value in values.items() if value is False or value not in (None, "", 0, 0.0)}
