"""The context of an adapter: one resource in one operation, and calls to the services.

`Context.call` converts the parameters to the API's form, and turns a refusal into the reason of the resource's event.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters import generated_names, invalid_parameters
from bootstrap.local.aws.cloudformation.adapters.conversions import fit, list_tags, make_failure
from bootstrap.local.aws.cloudformation.adapters.stack_operations import StackOperations
from bootstrap.local.aws.cloudformation.errors import ResourceFailed

Properties = dict[str, Any]
PATIENCE_SECONDS = 600.0


@dataclass
class Context:
    """One resource in one operation: its desired properties, and what its adapter needs to create or change it."""

    type: str
    logical_id: str
    stack_name: str
    stack_id: str
    region: str
    account: str
    operation: str
    properties: Properties
    client: Callable[[str, str], Any]
    initiated: Callable[[str], None]
    stacks: StackOperations
    tags: dict[str, str] = field(default_factory=dict)
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    displaced: str = ""  # id of the resource whose place it takes, if the adapter `displaces`; `old`: its properties
    old: Properties = field(default_factory=dict)
    is_signalled: bool = False  # whether its creation waits for signals by a CreationPolicy
    cancelled: Callable[[], bool] = lambda: False  # whether another resource of the stack has failed
    policy: Properties = field(default_factory=dict)  # its UpdatePolicy
    tell: Callable[[str], None] = lambda _: None  # adds an event of the resource with this text
    unasked: Callable[[], AbstractContextManager[None]] = nullcontext  # calls inside this block are made by AWS itself
    signals: Callable[[], dict[str, str]] = dict  # status by id of the signals that arrived in this operation

    def get(self, name: str, default: Any = None) -> Any:
        """Return a property, or `default`."""
        return self.properties.get(name, default)

    @property
    def changed(self) -> frozenset[str]:
        """The names of the properties that an update changes."""
        names = self.properties.keys() | self.old.keys()
        return frozenset(name for name in names if self.properties.get(name) != self.old.get(name))

    def call(self, service: str, method: str, **parameters: Any) -> Any:
        """Call the service's API and return its answer. Raises ResourceFailed, or Gone when the resource does not exist."""
        from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError

        client = self.client(service, self.region)
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        try:
            fitted = fit(operation.input_shape, parameters) if operation.input_shape else {}
            return getattr(client, method)(**fitted)
        except ParamValidationError as fault:
            faults = invalid_parameters.describe(str(fault))
            raise ResourceFailed(
                f"Properties validation failed for resource {self.logical_id} with message:\n{faults}"
            ) from None
        except ClientError as refusal:
            raise make_failure(refusal, client.meta.service_model.service_id) from None
        except HTTPClientError:
            raise ResourceFailed(
                f'Resource handler returned message: "{client.meta.service_model.service_id} gave no answer" '
                "(HandlerErrorCode: NetworkFailure)"
            ) from None

    def call_as_service(self, service: str, method: str, **parameters: Any) -> Any:
        """Like `call`, for a step that AWS does by itself and moto leaves out: no permission is checked for it."""
        with self.unasked():
            return self.call(service, method, **parameters)

    def pick(self, *names: str) -> Properties:
        """Return those of the named properties that the template gives."""
        return {name: self.properties[name] for name in names if name in self.properties}

    def generate_name(self) -> str:
        """Return the name that CloudFormation makes for a resource of this type; it is the same each time in one operation."""
        form = generated_names.load_forms()[self.type]
        return form.make(self.stack_name, self.logical_id, self._seed, self.properties)

    def make_token(self) -> str:
        """Return a text of 60 characters at most that no other resource and no other operation has, for ids and tokens."""
        start = f"{self.stack_name[:23]}-{self.logical_id[:23]}"
        return f"{start}-{generated_names.make_random_part(self._seed)}"

    @property
    def _seed(self) -> str:
        return f"{self.operation}/{self.logical_id}"

    def list_tags(self) -> list[dict[str, str]]:
        """Return all tags of the resource as a list of Key and Value."""
        return list_tags(self.tags)

    def wait(self, ready: Callable[[], bool], subject: str) -> None:
        """Wait until `ready`. Raises ResourceFailed, which names the `subject`, after ten minutes."""
        end = time.monotonic() + PATIENCE_SECONDS
        pause = 0.02
        while not ready():
            if time.monotonic() > end:
                raise ResourceFailed(f"{subject} did not settle within {PATIENCE_SECONDS:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
