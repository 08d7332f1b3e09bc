"""Stacks, events, resources and change sets in the form of CloudFormation's answers."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.store import ChangeSet, Event, Resource, Stack, Wanted
from bootstrap.local.aws.cloudformation.template import parameters
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import list_capabilities
from bootstrap.local.aws.cloudformation.template.template import Template

Answer = dict[str, Any]


def describe_stack(stored: Stack, root: Stack) -> Answer:
    """Return a stack as DescribeStacks describes it; a nested stack has the termination protection of its root."""
    return _drop_empty(
        StackId=stored.id,
        StackName=stored.name,
        Description=stored.description,
        Parameters=[
            one
            for one in _describe_parameters(stored.wanted, stored.region)
            if UNKNOWN not in one.get("ParameterValue", "")
        ],
        CreationTime=stored.created,
        LastUpdatedTime=stored.updated,
        DeletionTime=stored.deleted,
        StackStatus=stored.status,
        StackStatusReason=stored.reason,
        DisableRollback=stored.disable_rollback,
        TimeoutInMinutes=stored.timeout,
        NotificationARNs=stored.wanted.notification_arns,
        Capabilities=stored.wanted.capabilities,
        Outputs=[{"OutputKey": name, **output} for name, output in stored.outputs.items()],
        RoleARN=stored.wanted.role_arn,
        Tags=_describe_tags(stored.wanted.tags),
        EnableTerminationProtection=root.termination_protection,
        ParentId=stored.parent,
        RootId=stored.root,
        DriftInformation=_drop_empty(StackDriftStatus=stored.drift_status, LastCheckTimestamp=stored.drift_checked),
        RollbackConfiguration=stored.wanted.rollback,
    )


def summarize_stack(stored: Stack) -> Answer:
    """Return a stack as ListStacks describes it."""
    return _drop_empty(
        StackId=stored.id,
        StackName=stored.name,
        TemplateDescription=stored.description,
        CreationTime=stored.created,
        LastUpdatedTime=stored.updated,
        DeletionTime=stored.deleted,
        StackStatus=stored.status,
        StackStatusReason=stored.reason,
        ParentId=stored.parent,
        RootId=stored.root,
        DriftInformation={"StackDriftStatus": stored.drift_status},
    )


def describe_event(owner: Stack, stored: Event) -> Answer:
    """Return an event as DescribeStackEvents describes it."""
    return _drop_empty(
        StackId=owner.id,
        EventId=stored.id,
        StackName=owner.name,
        LogicalResourceId=stored.logical_id,
        PhysicalResourceId=stored.physical_id,
        ResourceType=stored.type,
        Timestamp=stored.time,
        ResourceStatus=stored.status,
        ResourceStatusReason=stored.reason,
        ClientRequestToken=stored.token,
    )


def summarize_resource(stored: Resource) -> Answer:
    """Return a resource as ListStackResources describes it."""
    drift = {"StackResourceDriftStatus": stored.drift.get("StackResourceDriftStatus", "NOT_CHECKED")}
    return _drop_empty(
        LogicalResourceId=stored.logical_id,
        PhysicalResourceId=stored.physical_id,
        ResourceType=stored.type,
        LastUpdatedTimestamp=stored.updated,
        ResourceStatus=stored.status,
        ResourceStatusReason=stored.reason,
        DriftInformation=drift,
    )


def describe_resource(owner: Stack, stored: Resource) -> Answer:
    """Return a resource as DescribeStackResources describes it."""
    result = summarize_resource(stored)
    result["Timestamp"] = result.pop("LastUpdatedTimestamp", owner.created)
    return {"StackName": owner.name, "StackId": owner.id, **result}


def describe_resource_fully(owner: Stack, stored: Resource) -> Answer:
    """Return a resource as DescribeStackResource describes it."""
    return {"StackName": owner.name, "StackId": owner.id, **summarize_resource(stored)}


def summarize_change_set(owner: Stack, stored: ChangeSet) -> Answer:
    """Return a change set as ListChangeSets describes it."""
    return _drop_empty(
        StackId=owner.id,
        StackName=owner.name,
        ChangeSetId=stored.id,
        ChangeSetName=stored.name,
        ExecutionStatus=stored.execution_status,
        Status=stored.status,
        StatusReason=stored.reason,
        CreationTime=stored.created,
        Description=stored.description,
        IncludeNestedStacks=stored.includes_nested,
        ParentChangeSetId=stored.parent,
        RootChangeSetId=stored.root,
    )


def describe_change_set(owner: Stack, stored: ChangeSet, *, with_values: bool) -> Answer:
    """Return a change set as DescribeChangeSet describes it; property values only `with_values`."""
    return {
        **summarize_change_set(owner, stored),
        **_drop_empty(
            Parameters=_describe_parameters(stored.wanted, owner.region),
            NotificationARNs=stored.wanted.notification_arns,
            Capabilities=stored.wanted.capabilities,
            Tags=_describe_tags(stored.wanted.tags),
            RollbackConfiguration=stored.wanted.rollback,
            OnStackFailure=stored.on_failure,
        ),
        "Changes": [
            _mask_change(owner, stored, change) if with_values else _describe_change(change)
            for change in stored.changes
        ],
    }


def summarize_template(template: Template) -> Answer:
    """Return the declarations of a template, for GetTemplateSummary."""
    declared = [
        _drop_empty(
            ParameterKey=name,
            DefaultValue=None if "Default" not in body else str(body["Default"]),
            ParameterType=str(body.get("Type", "String")),
            NoEcho=parameters.is_hidden(body),
            Description=body.get("Description"),
            ParameterConstraints=_drop_empty(AllowedValues=[str(value) for value in body.get("AllowedValues", [])]),
        )
        for name, body in template.read_section("Parameters").items()
    ]
    needed = list_capabilities(template)
    kinds = sorted({str(body["Type"]) for body in template.resources.values()})
    reason = f"The following resource(s) require capabilities: [{', '.join(k for k in kinds if '::IAM::' in k)}]"
    return _drop_empty(
        Parameters=declared,
        Description=template.document.get("Description"),
        Capabilities=needed,
        CapabilitiesReason=reason if needed else None,
        ResourceTypes=kinds,
        Version="2010-09-09",
    )


def _mask_change(owner: Stack, stored: ChangeSet, change: Answer) -> Answer:
    """Return a change with its values; those of NoEcho parameters of the stack and the change set are masked."""
    body = dict(change["ResourceChange"])
    for state in [stored.wanted, owner.wanted] if owner.wanted.template else [stored.wanted]:
        template = read(state.template, state.parameters, owner.region)
        for name in body.keys() & {"BeforeContext", "AfterContext"}:
            body[name] = json.dumps(parameters.mask_values(template, state.parameters, json.loads(body[name])))
        body["Details"] = parameters.mask_values(template, state.parameters, body["Details"])
    return {**change, "ResourceChange": body}


def _describe_change(change: Answer) -> Answer:
    body = {key: value for key, value in change["ResourceChange"].items() if not key.endswith("Context")}
    hidden = {"BeforeValue", "AfterValue", "Path", "AttributeChangeType"}
    body["Details"] = [
        {**detail, "Target": {key: value for key, value in detail["Target"].items() if key not in hidden}}
        for detail in body["Details"]
    ]
    return {**change, "ResourceChange": body}


def _describe_parameters(wanted: Wanted, region: str) -> list[Answer]:
    if not wanted.template:  # it is not known which of them are hidden
        return []
    visible = parameters.show_parameters(read(wanted.template, wanted.parameters, region), wanted.parameters)
    return [
        _drop_empty(ParameterKey=name, ParameterValue=value, ResolvedValue=wanted.looked_up.get(name))
        | ({"ParameterValue": ""} if value == "" else {})
        for name, value in visible.items()
    ]


def _describe_tags(tags: dict[str, str]) -> list[Answer]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _drop_empty(**values: Any) -> Answer:
    return {key: value for key, value in values.items() if value is False or value not in (None, "", 0, 0.0)}
