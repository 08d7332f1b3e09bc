"""CloudFormation's API: one method for each operation, with AWS' name; any other operation is refused.

Requests are parsed and answers are written by botocore's description of the service (`wire`). So a method here takes and
returns the same dictionaries as the method of boto3.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.api import answers, wire
from bootstrap.local.aws.cloudformation.api.api_change_sets import ChangeSets
from bootstrap.local.aws.cloudformation.api.api_drift import DriftApi
from bootstrap.local.aws.cloudformation.api.api_exports import ExportApi
from bootstrap.local.aws.cloudformation.api.api_signals import SignalApi
from bootstrap.local.aws.cloudformation.api.input import (
    check_deletion_mode,
    check_name,
    find,
    read_alone,
    read_page_start,
    read_policy,
    read_wanted,
    require_ready,
)
from bootstrap.local.aws.cloudformation.api.tokens import KINDS, Tokens
from bootstrap.local.aws.cloudformation.errors import Refused, describe_failure
from bootstrap.local.aws.cloudformation.operations import nested_change_sets, nesting
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.operations.gates import Gates
from bootstrap.local.aws.cloudformation.template import static_checks
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import list_capabilities
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.door import make_error_response
from bootstrap.local.aws.server.requests import Environ, Response

log = logging.getLogger(__name__)

Input = dict[str, Any]
Output = dict[str, Any]
EMPTY_SECONDS = 2.0  # how long the answer waits for the deletion of a stack without resources
PROMPT = frozenset({"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"})
CHANGING = frozenset({*KINDS, "CreateChangeSet", "DeleteChangeSet", "SetStackPolicy", "UpdateTerminationProtection"})


class Api(ChangeSets, DriftApi, ExportApi, SignalApi, Tokens):
    """Answers CloudFormation's requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gates = Gates()

    def answer(self, environ: Environ) -> Response:
        """Answer one request with XML, or with an error in the form that clients parse."""
        try:
            operation, request = wire.parse(requests.read_body(environ))
        except Refused as refusal:
            return make_error_response(environ, refusal.status, refusal.code, refusal.message)
        method = getattr(self, operation, None) if operation.isalnum() and operation[:1].isupper() else None
        if method is None:
            return make_error_response(
                environ, 400, "InvalidAction", f"The local cloud has no CloudFormation action {operation}"
            )
        region = requests.find_region(environ, "us-east-1")
        try:
            body = wire.render(operation, self._answer_in_turn(operation, method, request, region), str(uuid.uuid4()))
        except Refused as refusal:
            return make_error_response(environ, refusal.status, refusal.code, refusal.message)
        except Exception as failure:
            log.exception("%s", operation)
            return make_error_response(environ, 501, "InternalFailure", describe_failure(failure))
        return Response(200, (("Content-Type", "text/xml"),), body)

    def _answer_in_turn(
        self, operation: str, method: Callable[[Input, str], Output | None], request: Input, region: str
    ) -> Output:
        """Return the answer to a request; requests that change the same stack are answered one after the other."""
        if operation not in CHANGING:
            return method(request, region) or {}
        with self._gates.find(region, self._read_stack_name(request, region)):
            earlier_answer = self.find_earlier_answer(operation, request, region)
            if earlier_answer is not None:
                return earlier_answer
            # Before a deletion, because a deleted stack cannot be found by its name.
            stack = self._find_stack(request, region)
            is_empty = operation == "DeleteStack" and stack is not None and not stack.resources
            answer = method(request, region) or {}
        if operation in PROMPT:
            changed_stack = stack or self._engine.store.find(answer.get("StackId", ""), region)
            if changed_stack is not None:
                self._engine.wait(changed_stack, EMPTY_SECONDS if is_empty else self._engine.prompt_seconds)
        return answer

    def _read_stack_name(self, request: Input, region: str) -> str:
        name = str(request.get("StackName", ""))
        if name:
            return name.split("/")[1] if name.startswith("arn:") and "/" in name else name
        stack = self._find_stack(request, region)
        return stack.name if stack else ""

    def CreateStack(self, request: Input, region: str) -> Output:  # noqa: N802 (AWS's name, as all below)
        """Make a stack and start its creation."""
        name = request["StackName"]
        check_name(name)
        if "OnFailure" in request and "DisableRollback" in request:
            raise Refused("You can specify either DisableRollback or OnFailure, but not both")
        if self._engine.store.find(name, region):
            raise Refused(f"Stack [{name}] already exists", "AlreadyExistsException")
        desired = read_wanted(self._engine, request, None, region)
        stack = self._engine.make_stack(
            name,
            region,
            desired,
            "CREATE_IN_PROGRESS",
            termination_protection=request.get("EnableTerminationProtection", False),
            policy=read_policy(self._engine, request, "StackPolicy", region),
            disable_rollback=request.get("DisableRollback", False),
            timeout=request.get("TimeoutInMinutes", 0),
        )
        default = "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK"
        token = request.get("ClientRequestToken", "")
        self._engine.create(
            stack,
            on_failure=request.get("OnFailure", default),
            token=token,
            retain_except_on_create=request.get("RetainExceptOnCreate", False),
        )
        return {"StackId": stack.id}

    def UpdateStack(self, request: Input, region: str) -> Output:  # noqa: N802
        """Start the update of a stack; refused if nothing would change."""
        stack = find(self._engine, request["StackName"], region)
        require_ready(stack, "updated")
        desired = read_wanted(self._engine, request, stack, region)
        if not self.compute_differences(stack, desired) and not self.has_other_outputs(stack, desired):
            raise Refused("No updates are to be performed.")
        token = request.get("ClientRequestToken", "")
        policy_during_update = read_policy(self._engine, request, "StackPolicyDuringUpdate", region)
        disable = request.get("DisableRollback", False)
        stack.policy = read_policy(self._engine, request, "StackPolicy", region) or stack.policy
        for change_set in stack.change_sets:  # they were computed for the stack before this update
            if change_set.execution_status == "AVAILABLE":
                change_set.execution_status = "OBSOLETE"
        self._engine.update(
            stack,
            desired,
            disable_rollback=disable,
            token=token,
            policy=policy_during_update,
            retain_except_on_create=request.get("RetainExceptOnCreate", False),
        )
        return {"StackId": stack.id}

    def DeleteStack(self, request: Input, region: str) -> Output:  # noqa: N802
        """Start the deletion of a stack; an unknown name is no error."""
        stack = self._engine.store.find(request["StackName"], region)
        if stack is None or not stack.is_living:
            return {}
        nesting.check_protection(self._engine.store, stack)
        token = request.get("ClientRequestToken", "")
        is_forced = check_deletion_mode(request, stack)
        if stack.is_busy and (stack.status == "DELETE_IN_PROGRESS" or self._engine.delete_unfinished(stack, token)):
            return {}
        if stack.is_busy:
            raise Refused(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        if request.get("RetainResources") and stack.status != "DELETE_FAILED":
            raise Refused(
                f"Invalid operation on stack [{stack.id}]. Specify resources to retain only when the stack is in the "
                "DELETE_FAILED state"
            )
        for change_set in stack.change_sets:
            nested_change_sets.drop(self._engine, stack, change_set)
        self._engine.delete(stack, request.get("RetainResources", []), token, is_forced=is_forced)
        return {}

    def DescribeStacks(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return one stack, or every stack that is not deleted."""
        if "StackName" in request:
            stacks = [find(self._engine, request["StackName"], region)]
        else:
            stacks = [stack for stack in self._engine.store.list_stacks(region) if stack.is_living]
        store = self._engine.store
        return {"Stacks": [answers.describe_stack(stack, nesting.find_root(store, stack)) for stack in stacks]}

    def ListStacks(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return summaries of all stacks, also of deleted ones."""
        states = request.get("StackStatusFilter")
        stacks = [stack for stack in self._engine.store.list_stacks(region) if not states or stack.status in states]
        return {"StackSummaries": [answers.summarize_stack(stack) for stack in stacks]}

    def DescribeStackEvents(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the events of a stack, newest first, a hundred on a page."""
        stack = find(self._engine, request["StackName"], region)
        events, start = list(reversed(stack.events)), read_page_start(request)
        page = {"StackEvents": [answers.describe_event(stack, event) for event in events[start : start + 100]]}
        return page | ({"NextToken": str(start + 100)} if len(events) > start + 100 else {})

    def DescribeStackResources(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the resources of a stack, named directly or by the physical id of one of them."""
        if "StackName" not in request:
            return self._find_by_physical_id(request.get("PhysicalResourceId", ""), region)
        stack = find(self._engine, request["StackName"], region)
        logical = request.get("LogicalResourceId")
        resources = [resource for resource in list(stack.resources.values()) if logical in (None, resource.logical_id)]
        return {"StackResources": [answers.describe_resource(stack, resource) for resource in resources]}

    def DescribeStackResource(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return one resource of a stack."""
        stack = find(self._engine, request["StackName"], region)
        logical = request["LogicalResourceId"]
        if logical not in stack.resources:
            raise Refused(f"Resource {logical} does not exist for stack {stack.name}")
        return {"StackResourceDetail": answers.describe_resource_fully(stack, stack.resources[logical])}

    def ListStackResources(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return summaries of a stack's resources."""
        stack = find(self._engine, request["StackName"], region)
        return {"StackResourceSummaries": [answers.summarize_resource(one) for one in list(stack.resources.values())]}

    def GetTemplate(self, request: Input, region: str) -> Output:  # noqa: N802
        """The text of a template as it was in the request, by default with its snippets."""
        owner = self.find_change_set(request, region)[1] if "ChangeSetName" in request else None
        state = (owner or find(self._engine, request["StackName"], region)).wanted
        is_original = state.original and (request.get("TemplateStage") == "Original" or not state.template)
        stages = ["Original", "Processed"] if state.template else ["Original"]
        return {"TemplateBody": state.original if is_original else state.template, "StagesAvailable": stages}

    def GetTemplateSummary(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the parameters, types and capabilities of a template."""
        if "StackName" not in request:
            return answers.summarize_template(read_alone(self._engine, request, region))
        state = find(self._engine, request["StackName"], region).wanted
        return answers.summarize_template(read(state.template or state.original, region=region))

    def ValidateTemplate(self, request: Input, region: str) -> Output:  # noqa: N802
        """Check a template; refused if it is not valid."""
        template = read_alone(self._engine, request, region)
        static_checks.check(template, region)
        summary = answers.summarize_template(template)
        names = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
        declared = [{key: parameter[key] for key in names if key in parameter} for parameter in summary["Parameters"]]
        texts = {name: summary.get(name) for name in ("Description", "CapabilitiesReason")}
        return {"Parameters": declared, "Capabilities": list_capabilities(template), **texts}

    def UpdateTerminationProtection(self, request: Input, region: str) -> Output:  # noqa: N802
        """Switch the termination protection of a stack on or off."""
        stack = find(self._engine, request["StackName"], region)
        if stack.root:
            raise Refused(f"Termination protection of nested stack [{stack.name}] is that of its root stack")
        stack.termination_protection = request["EnableTerminationProtection"]
        self._engine.store.save(stack)
        return {"StackId": stack.id}

    def SetStackPolicy(self, request: Input, region: str) -> Output:  # noqa: N802
        """Set the stack policy, which protects resources from updates."""
        stack = find(self._engine, request["StackName"], region)
        stack.policy = read_policy(self._engine, request, "StackPolicy", region)
        self._engine.store.save(stack)
        return {}

    def GetStackPolicy(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the stack policy."""
        return {"StackPolicyBody": find(self._engine, request["StackName"], region).policy or None}

    def CancelUpdateStack(self, request: Input, region: str) -> Output:  # noqa: N802
        """Cancel an update, which is then rolled back."""
        stack = find(self._engine, request["StackName"], region)
        self._engine.cancel(stack, request.get("ClientRequestToken", ""))
        return {}

    def ContinueUpdateRollback(self, request: Input, region: str) -> Output:  # noqa: N802
        """Continue a rollback that failed."""
        stack = find(self._engine, request["StackName"], region)
        if stack.parent:
            raise Refused("RollbackUpdatedStack cannot be invoked on child stacks")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be continued.")
        skip = request.get("ResourcesToSkip", [])
        nesting.check_skipped(self._engine.store, stack, skip)
        self._engine.continue_rollback(stack, skip, request.get("ClientRequestToken", ""))
        return {}

    def RollbackStack(self, request: Input, region: str) -> Output:  # noqa: N802
        """Roll back a creation or update that failed without a rollback."""
        stack = find(self._engine, request["StackName"], region)
        if stack.status not in {"CREATE_FAILED", "UPDATE_FAILED"}:
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        self._engine.roll_back(stack, request.get("ClientRequestToken", ""))
        return {"StackId": stack.id}

    def _find_by_physical_id(self, physical_id: str, region: str) -> Output:
        for stack in self._engine.store.list_stacks(region):
            if stack.is_living and any(one.physical_id == physical_id for one in stack.resources.values()):
                return {"StackResources": [answers.describe_resource(stack, one) for one in stack.resources.values()]}
        raise Refused(f"Stack for {physical_id} does not exist")
