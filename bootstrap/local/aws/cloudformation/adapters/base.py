"""What an adapter is: create, update, delete and read one type of resource through its service's API.

`Context.call` fits properties to the call: names are matched without regard to case, text becomes the number or flag that the
API wants, and what the service refuses becomes the event's reason in CloudFormation's words. `Row` is an adapter that a few
names describe.
"""

from __future__ import annotations

import hashlib
import string
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.stand_ins import REASON

Properties = dict[str, Any]
ABSENT_CODES = (
    "NotFound",
    "NoSuch",
    "NonExistent",
    "DoesNotExist",
    "ResourceNotFound",
    "NotFoundException",
    ".Unknown",
)
PATIENCE_SECONDS = 600.0


@dataclass
class Context:
    """One resource in one operation: what it should be, and the means to make it so."""

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
    tags: dict[str, str] = field(default_factory=dict)
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    old: Properties = field(default_factory=dict)
    nested: Any = None
    is_signalled: bool = False  # whether its creation waits for signals by a CreationPolicy
    cancelled: Callable[[], bool] = lambda: False  # whether another resource of the stack has failed
    policy: Properties = field(default_factory=dict)  # its UpdatePolicy
    tell: Callable[[str], None] = lambda _: None  # adds an event of the resource, with these words
    signals: Callable[[], dict[str, str]] = dict  # the status of each signal that came to it in this operation, by id

    def get(self, name: str, default: Any = None) -> Any:
        """A property."""
        return self.properties.get(name, default)

    @property
    def changed(self) -> frozenset[str]:
        """The properties that an update changes."""
        names = self.properties.keys() | self.old.keys()
        return frozenset(name for name in names if self.properties.get(name) != self.old.get(name))

    def call(self, service: str, method: str, **parameters: Any) -> Any:
        """Call the service's API; raises ResourceFailed, or Gone when the thing does not exist."""
        from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError

        client = self.client(service, self.region)
        operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        try:
            fitted = fit(operation.input_shape, parameters) if operation.input_shape else {}
            return getattr(client, method)(**fitted)
        except ParamValidationError as fault:
            raise ResourceFailed(f"Properties validation failed for resource {self.logical_id}: {fault}") from None
        except ClientError as refusal:
            raise _failure(refusal, client.meta.service_model.service_id) from None
        except HTTPClientError as fault:
            raise ResourceFailed(
                f'Resource handler returned message: "{fault}" (HandlerErrorCode: NetworkFailure)'
            ) from None

    def pick(self, *names: str) -> Properties:
        """Those of the named properties that the template gives."""
        return {name: self.properties[name] for name in names if name in self.properties}

    def name(self, limit: int = 128, *, lower: bool = False) -> str:
        """A physical name as CloudFormation makes it: stack, logical id, twelve letters of its own."""
        digest = hashlib.sha256(f"{self.operation}/{self.logical_id}".encode()).digest()
        letters = string.ascii_uppercase + string.digits
        tail = "".join(letters[byte % len(letters)] for byte in digest[:12])
        room = limit - 14
        head = f"{self.stack_name}-{self.logical_id}"
        if len(head) > room:
            head = f"{self.stack_name[: room // 2]}-{self.logical_id[: room - room // 2]}"
        made = f"{head}-{tail}"
        return made.lower() if lower else made

    def tag_list(self) -> list[dict[str, str]]:
        """All tags of the resource in the form that most services take."""
        return as_list(self.tags)

    def wait(self, ready: Callable[[], bool], what: str) -> None:
        """Wait until `ready`; fails after ten minutes."""
        end = time.monotonic() + PATIENCE_SECONDS
        pause = 0.02
        while not ready():
            if time.monotonic() > end:
                raise ResourceFailed(f"{what} did not settle within {PATIENCE_SECONDS:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)


class Adapter:
    """One type of resource. The defaults: nothing can be altered in place, no attributes."""

    type: str = ""
    volatile: Sequence[str] = ()
    always_looks = False  # whether each update asks it, though no property of its resource changes
    # By the property that names another resource: the attributes of that one which change when this one comes or goes.
    moves: Mapping[str, Sequence[str]] = {}

    def create(self, to: Context) -> str:
        """Make it; returns the physical id, which is what Ref gives."""
        raise ResourceFailed(f"{self.type} cannot be created here")

    def update(self, to: Context) -> None:
        """Alter it in place: `to.changed` names the properties."""
        names = ", ".join(sorted(to.changed))
        raise Unchanged(f"The local cloud cannot change {names} of {self.type} in place")

    def delete(self, to: Context) -> None:
        """Delete it; raises Gone when it is not there."""
        raise ResourceFailed(f"{self.type} cannot be deleted here")

    def attributes(self, to: Context) -> dict[str, Any]:
        """What GetAtt gives, by attribute name."""
        return {}

    def tag(self, to: Context, gone: Iterable[str]) -> None:
        """Put `to.tags` on it and take the tags `gone` away."""

    def replaces(self, to: Context) -> bool:
        """Whether a change that replaces only in some cases does so in this one."""
        return False

    def snapshot(self, to: Context) -> None:
        """Take a snapshot before it is deleted."""
        raise ResourceFailed(f"{self.type} has no snapshots")

    def exists(self, to: Context) -> bool:
        """Whether it is still there (for drift)."""
        return True


class Ec2(Adapter):
    """An EC2 resource: tagged by CreateTags on its physical id."""

    def tag_target(self, to: Context) -> str:
        """What CreateTags takes for it."""
        return to.physical_id

    def tag(self, to: Context, gone: Iterable[str]) -> None:
        """Tags of EC2 resources are set by id."""
        target = self.tag_target(to)
        names = [{"Key": name} for name in gone]
        if names:
            to.call("ec2", "delete_tags", Resources=[target], Tags=names)
        if to.tags:
            to.call("ec2", "create_tags", Resources=[target], Tags=to.tag_list())


@dataclass
class Row:
    """An adapter in a few words: see `RowAdapter`."""

    type: str
    service: str
    create: str
    found: str
    delete: str
    key: str
    takes: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    read: str = ""
    read_key: str = ""
    read_many: bool = True
    update: str = ""


class RowAdapter(Ec2):
    """Create with the properties of the row, find the id at a path of the answer, delete by the id, read attributes.

    In `attributes`, '@id' is the physical id and everything else a path in what `read` answers.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.type = row.type

    def create(self, to: Context) -> str:
        """One call with the properties as they are."""
        answer = to.call(self.row.service, self.row.create, **to.pick(*self.row.takes))
        return str(at(answer, self.row.found))

    def update(self, to: Context) -> None:
        """One call with the id and the properties, where the service has one."""
        if not self.row.update:
            super().update(to)
        to.call(self.row.service, self.row.update, **{self.row.key: to.physical_id}, **to.pick(*self.row.takes))

    def delete(self, to: Context) -> None:
        """One call with the id."""
        to.call(self.row.service, self.row.delete, **{self.row.key: to.physical_id})

    def attributes(self, to: Context) -> dict[str, Any]:
        """Read it once, if an attribute needs it."""
        answer: Any = None
        if self.row.read:
            wanted: Any = [to.physical_id] if self.row.read_many else to.physical_id
            answer = to.call(self.row.service, self.row.read, **{self.row.read_key: wanted})
        paths = self.row.attributes.items()
        return {name: to.physical_id if path == "@id" else at(answer, path) for name, path in paths}


class StandIn(Adapter):
    """A type that exists on paper only: ids and attributes are made up, and the events say so."""

    reason = REASON

    def __init__(self, kind: str) -> None:
        self.type = kind

    def create(self, to: Context) -> str:
        """A name."""
        return to.name()

    def update(self, to: Context) -> None:
        """On paper everything can be altered."""

    def delete(self, to: Context) -> None:
        """On paper."""

    def attributes(self, to: Context) -> dict[str, Any]:
        """Whatever the schema calls read-only, by name."""
        from bootstrap.local.aws.cloudformation import schemas

        schema = schemas.load(self.type, to.region) or {}
        names = [str(path).rpartition("/")[2] for path in schema.get("readOnlyProperties", ())]
        return {name: f"stand-in-{name}" for name in names}


def at(value: Any, path: str) -> Any:
    """The value at a dotted path; numbers index lists; None where the path ends early."""
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def is_true(value: Any) -> bool:
    """A flag of a template, which may be a word."""
    return str(value).lower() == "true"


def fit(shape: Any, value: Any) -> Any:
    """`value` in the form that an API's shape wants: names by case, numbers and flags from text; None left out."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        fitted = {}
        for key, item in value.items():
            if item is not None:
                name = names.get(key.lower(), key)
                fitted[name] = fit(shape.members[name], item) if name in shape.members else item
        return fitted
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fit(shape.member, item) for item in items]
    if kind == "map" and isinstance(value, dict):
        return {key: fit(shape.value, item) for key, item in value.items()}
    return _fit_scalar(kind, value)


def _fit_scalar(kind: str, value: Any) -> Any:
    if kind in {"integer", "long"} and isinstance(value, str):
        return int(value) if value.lstrip("-").isdigit() else value
    if kind in {"double", "float"} and isinstance(value, str | int):
        return float(value)
    if kind == "boolean" and isinstance(value, str):
        return is_true(value) if value.lower() in {"true", "false"} else value
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" and isinstance(value, int | float) else value


def _failure(refusal: Any, service: str) -> ResourceFailed:
    error = refusal.response.get("Error", {})
    code, said = error.get("Code", ""), error.get("Message", "")
    metadata = refusal.response.get("ResponseMetadata", {})
    status, request_id = metadata.get("HTTPStatusCode", 400), metadata.get("RequestId", "")
    kind = (
        "NotFound"
        if any(part in code for part in ABSENT_CODES)
        else "AlreadyExists"
        if _exists(code)
        else "InvalidRequest"
    )
    text = f'Resource handler returned message: "{said} (Service: {service}, Status Code: {status}, Request ID: {request_id})"'
    reason = f"{text} (Error code: {code}, HandlerErrorCode: {kind})"
    return Gone(reason) if kind == "NotFound" else ResourceFailed(reason)


def _exists(code: str) -> bool:
    return "AlreadyExists" in code or "Duplicate" in code or "AlreadyOwned" in code
