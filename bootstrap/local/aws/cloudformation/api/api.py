"""CloudFormation's API: one method per operation, named as AWS names it; what is not here is refused by name.

A request is parsed and its answer written by botocore's description of the service (`wire`), so an operation here takes and
returns what boto3 takes and returns.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.api import answers, wire
from bootstrap.local.aws.cloudformation.api.api_change_sets import ChangeSets
from bootstrap.local.aws.cloudformation.api.api_drift import DriftApi
from bootstrap.local.aws.cloudformation.api.api_signals import SignalApi
from bootstrap.local.aws.cloudformation.api.asked import check_name, fetch_template, find, policy_in, ready, wanted_from
from bootstrap.local.aws.cloudformation.api.tokens import KINDS, Tokens
from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import nested_change_sets, nesting
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.operations.gates import Gates
from bootstrap.local.aws.cloudformation.template import static_checks
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.scope import capabilities
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.door import error_response
from bootstrap.local.aws.server.requests import Environ, Response

log = logging.getLogger(__name__)

Input = dict[str, Any]
Output = dict[str, Any]
EMPTY_SECONDS = 2.0  # a stack without resources is gone when the answer comes
PROMPT = frozenset({"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"})
CHANGING = frozenset({*KINDS, "CreateChangeSet", "DeleteChangeSet", "SetStackPolicy", "UpdateTerminationProtection"})


class Api(ChangeSets, DriftApi, SignalApi, Tokens):
    """Answers CloudFormation's requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._gates = Gates()

    def request(self, environ: Environ) -> Response:
        """Answer one request: XML, or an error that clients read."""
        operation, asked = wire.parse(requests.read_body(environ))
        method = getattr(self, operation, None) if operation.isalnum() and operation[:1].isupper() else None
        if method is None:
            return error_response(
                environ, 400, "InvalidAction", f"The local cloud has no CloudFormation action {operation}"
            )
        region = requests.region_of(environ, "us-east-1")
        try:
            body = wire.render(operation, self._answer(operation, method, asked, region), str(uuid.uuid4()))
        except Refused as refusal:
            return error_response(environ, refusal.status, refusal.code, refusal.message)
        except Exception as failure:
            log.exception("%s", operation)
            return error_response(environ, 501, "InternalFailure", f"{type(failure).__name__}: {failure}")
        return Response(200, (("Content-Type", "text/xml"),), body)

    def _answer(
        self, operation: str, method: Callable[[Input, str], Output | None], asked: Input, region: str
    ) -> Output:
        """The answer to a request; those that change one stack are answered one after the other."""
        if operation not in CHANGING:
            return method(asked, region) or {}
        with self._gates.of(region, self._stack_name(asked, region)):
            again = self.asked_before(operation, asked, region)
            if again is not None:
                return again
            stack = self._stack_asked(asked, region)  # before it is deleted, and has no name any more
            is_empty = operation == "DeleteStack" and stack is not None and not stack.resources
            answer = method(asked, region) or {}
        if operation in PROMPT:
            begun = stack or self._engine.store.find(answer.get("StackId", ""), region)
            if begun is not None:
                self._engine.wait(begun, EMPTY_SECONDS if is_empty else self._engine.prompt_seconds)
        return answer

    def _stack_name(self, asked: Input, region: str) -> str:
        given = str(asked.get("StackName", ""))
        if given:
            return given.split("/")[1] if given.startswith("arn:") and "/" in given else given
        stack = self._stack_asked(asked, region)
        return stack.name if stack else ""

    def CreateStack(self, asked: Input, region: str) -> Output:  # noqa: N802 (AWS's name, as all below)
        """Make a stack and start to create it."""
        name = asked["StackName"]
        check_name(name)
        if "OnFailure" in asked and "DisableRollback" in asked:
            raise Refused("You can specify either DisableRollback or OnFailure, but not both")
        if self._engine.store.find(name, region):
            raise Refused(f"Stack [{name}] already exists", "AlreadyExistsException")
        wanted = wanted_from(self._engine, asked, None, region)
        stack = self._engine.new_stack(
            name,
            region,
            wanted,
            "CREATE_IN_PROGRESS",
            termination_protection=asked.get("EnableTerminationProtection", False),
            policy=policy_in(self._engine, asked, "StackPolicy", region),
            disable_rollback=asked.get("DisableRollback", False),
            timeout=asked.get("TimeoutInMinutes", 0),
        )
        default = "DO_NOTHING" if asked.get("DisableRollback") else "ROLLBACK"
        token = asked.get("ClientRequestToken", "")
        self._engine.create(
            stack,
            on_failure=asked.get("OnFailure", default),
            token=token,
            retain_except_on_create=asked.get("RetainExceptOnCreate", False),
        )
        return {"StackId": stack.id}

    def UpdateStack(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Start to update a stack; refused when nothing would change."""
        stack = find(self._engine, asked["StackName"], region)
        ready(stack, "updated")
        wanted = wanted_from(self._engine, asked, stack, region)
        if not self.differences(stack, wanted) and not self.outputs_differ(stack, wanted):
            raise Refused("No updates are to be performed.")
        token = asked.get("ClientRequestToken", "")
        during = policy_in(self._engine, asked, "StackPolicyDuringUpdate", region)
        disable = asked.get("DisableRollback", False)
        stack.policy = policy_in(self._engine, asked, "StackPolicy", region) or stack.policy
        for change_set in stack.change_sets:  # none of them is of the stack that this makes
            if change_set.execution_status == "AVAILABLE":
                change_set.execution_status = "OBSOLETE"
        self._engine.update(
            stack,
            wanted,
            disable_rollback=disable,
            token=token,
            policy=during,
            retain_except_on_create=asked.get("RetainExceptOnCreate", False),
        )
        return {"StackId": stack.id}

    def DeleteStack(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Start to delete a stack; no stack of that name is no error."""
        stack = self._engine.store.find(asked["StackName"], region)
        if stack is None or not stack.is_living:
            return {}
        nesting.check_protection(self._engine.store, stack)
        if stack.is_busy:
            if stack.status == "DELETE_IN_PROGRESS":
                return {}
            raise Refused(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        if asked.get("RetainResources") and stack.status != "DELETE_FAILED":
            raise Refused(
                f"Invalid operation on stack [{stack.id}]. Specify resources to retain only when the stack is in the "
                "DELETE_FAILED state"
            )
        for change_set in stack.change_sets:
            nested_change_sets.drop(self._engine, stack, change_set)
        self._engine.delete(stack, asked.get("RetainResources", []), asked.get("ClientRequestToken", ""))
        return {}

    def DescribeStacks(self, asked: Input, region: str) -> Output:  # noqa: N802
        """One stack, or every living one."""
        if "StackName" in asked:
            found = [find(self._engine, asked["StackName"], region)]
        else:
            found = [stack for stack in self._engine.store.of(region) if stack.is_living]
        return {"Stacks": [answers.stack(stack, nesting.root_of(self._engine.store, stack)) for stack in found]}

    def ListStacks(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Summaries, deleted stacks too."""
        states = asked.get("StackStatusFilter")
        stacks = [stack for stack in self._engine.store.of(region) if not states or stack.status in states]
        return {"StackSummaries": [answers.summary(stack) for stack in stacks]}

    def DescribeStackEvents(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The history, newest first, a hundred at a time."""
        stack = find(self._engine, asked["StackName"], region)
        events = list(reversed(stack.events))
        start = int(asked.get("NextToken", "0"))
        page = {"StackEvents": [answers.event(stack, event) for event in events[start : start + 100]]}
        return page | ({"NextToken": str(start + 100)} if len(events) > start + 100 else {})

    def DescribeStackResources(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The resources of a stack, or of the stack that has a physical id."""
        if "StackName" not in asked:
            return self._by_physical_id(asked.get("PhysicalResourceId", ""), region)
        stack = find(self._engine, asked["StackName"], region)
        wanted = asked.get("LogicalResourceId")
        found = [one for one in list(stack.resources.values()) if wanted in (None, one.logical_id)]
        return {"StackResources": [answers.resource(stack, one) for one in found]}

    def DescribeStackResource(self, asked: Input, region: str) -> Output:  # noqa: N802
        """One resource."""
        stack = find(self._engine, asked["StackName"], region)
        logical = asked["LogicalResourceId"]
        if logical not in stack.resources:
            raise Refused(f"Resource {logical} does not exist for stack {stack.name}")
        return {"StackResourceDetail": answers.resource_detail(stack, stack.resources[logical])}

    def ListStackResources(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Summaries of the resources."""
        stack = find(self._engine, asked["StackName"], region)
        return {"StackResourceSummaries": [answers.resource_summary(one) for one in list(stack.resources.values())]}

    def GetTemplate(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The template as it was given."""
        wanted = self.change_set(asked, region)[1].wanted if "ChangeSetName" in asked else None
        wanted = wanted or find(self._engine, asked["StackName"], region).wanted
        return {"TemplateBody": wanted.template, "StagesAvailable": ["Original", "Processed"]}

    def GetTemplateSummary(self, asked: Input, region: str) -> Output:  # noqa: N802
        """What a template declares and demands."""
        if "StackName" in asked:
            text = find(self._engine, asked["StackName"], region).wanted.template
        else:
            text = fetch_template(self._engine, asked, None, region)
        return answers.template_summary(read(text))

    def ValidateTemplate(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Whether a template can be read."""
        template = read(fetch_template(self._engine, asked, None, region))
        static_checks.check(template, region)
        summary = answers.template_summary(template)
        names = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
        shown = [{key: one[key] for key in names if key in one} for one in summary["Parameters"]]
        found = {"Parameters": shown, "Description": summary.get("Description"), "Capabilities": capabilities(template)}
        return found | {"CapabilitiesReason": summary.get("CapabilitiesReason")}

    def ListExports(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The exports of the region."""
        exports = sorted(self._engine.scopes.exports(region).items())
        found = [{"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (stack, value) in exports]
        return {"Exports": found}

    def ListImports(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The stacks that use an export."""
        users = self._engine.scopes.importers(asked["ExportName"], region)
        if not users:
            raise Refused(f"Export '{asked['ExportName']}' is not imported by any stack.")
        return {"Imports": users}

    def UpdateTerminationProtection(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Protect a stack, or no more."""
        stack = find(self._engine, asked["StackName"], region)
        if stack.root:
            raise Refused(f"Termination protection of nested stack [{stack.name}] is that of its root stack")
        stack.termination_protection = asked["EnableTerminationProtection"]
        self._engine.store.save(stack)
        return {"StackId": stack.id}

    def SetStackPolicy(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Protect resources from updates from now on."""
        stack = find(self._engine, asked["StackName"], region)
        stack.policy = policy_in(self._engine, asked, "StackPolicy", region)
        self._engine.store.save(stack)
        return {}

    def GetStackPolicy(self, asked: Input, region: str) -> Output:  # noqa: N802
        """The stack policy."""
        return {"StackPolicyBody": find(self._engine, asked["StackName"], region).policy or None}

    def CancelUpdateStack(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Let an update fail and go back."""
        stack = find(self._engine, asked["StackName"], region)
        self._engine.cancel(stack, asked.get("ClientRequestToken", ""))
        return {}

    def ContinueUpdateRollback(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Go on with a rollback that failed."""
        stack = find(self._engine, asked["StackName"], region)
        if stack.parent:
            raise Refused("RollbackUpdatedStack cannot be invoked on child stacks")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be continued.")
        skip = asked.get("ResourcesToSkip", [])
        nesting.check_skipped(self._engine.store, stack, skip)
        self._engine.continue_rollback(stack, skip, asked.get("ClientRequestToken", ""))
        return {}

    def RollbackStack(self, asked: Input, region: str) -> Output:  # noqa: N802
        """Go back from a failure that was left as it was."""
        stack = find(self._engine, asked["StackName"], region)
        if stack.status not in {"CREATE_FAILED", "UPDATE_FAILED"}:
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        self._engine.roll_back(stack, asked.get("ClientRequestToken", ""))
        return {"StackId": stack.id}

    def _by_physical_id(self, physical_id: str, region: str) -> Output:
        for stack in self._engine.store.of(region):
            if stack.is_living and any(one.physical_id == physical_id for one in stack.resources.values()):
                return {"StackResources": [answers.resource(stack, one) for one in stack.resources.values()]}
        raise Refused(f"Stack for {physical_id} does not exist")
