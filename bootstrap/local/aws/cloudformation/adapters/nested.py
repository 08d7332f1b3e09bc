"""Nested stacks: a stack of its own, created, updated and deleted with its parent."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.base import Context as To
from bootstrap.local.aws.cloudformation.errors import Gone, Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.store import Stack, Wanted


class NestedStack(Adapter):
    """AWS::CloudFormation::Stack; Ref is the child's id, GetAtt Outputs.X its outputs."""

    type = "AWS::CloudFormation::Stack"

    def create(self, to: To) -> str:
        """Waits until the child is complete. A child that was begun before a restart is gone on with."""
        engine = to.nested
        name = to.name(128)
        child = engine.store.find(name, to.region)
        if child is None:
            parent = engine.store.find(to.stack_id, to.region)
            wanted = self._wanted(to, None)
            root = parent.root or parent.id
            child = engine.new_stack(name, to.region, wanted, "CREATE_IN_PROGRESS", parent=parent.id, root=root)
            to.initiated(child.id)
            engine.create(child)
        engine.wait(child)
        if child.status != "CREATE_COMPLETE":
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully created: {child.reason}")
        return str(child.id)

    def update(self, to: To) -> None:
        """Waits until the child is updated; nothing to update is fine."""
        engine, child = to.nested, self._child(to)
        if not child.is_busy:
            engine.update(child, self._wanted(to, child))
        engine.wait(child)
        if child.status != "UPDATE_COMPLETE":
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully updated. Currently in {child.status}")

    def delete(self, to: To) -> None:
        """Waits until the child is gone."""
        engine, child = to.nested, self._child(to)
        if not child.is_living:
            raise Gone(f"Stack {child.id} is deleted")
        if not child.is_busy:
            engine.delete(child, [])
        engine.wait(child)
        if child.is_living:
            raise ResourceFailed(f"Embedded stack {child.id} was not successfully deleted: {child.reason}")

    def attributes(self, to: To) -> dict[str, Any]:
        """The child's outputs."""
        return {f"Outputs.{name}": output["OutputValue"] for name, output in self._child(to).outputs.items()}

    def tag(self, to: To, gone: Any) -> None:
        """The child's stack tags were given with it."""

    def _child(self, to: To) -> Stack:
        child = to.nested.store.find(to.physical_id, to.region)
        if child is None:
            raise Gone(f"Stack {to.physical_id} does not exist")
        return child  # type: ignore[no-any-return]

    def _wanted(self, to: To, child: Stack | None) -> Wanted:
        from bootstrap.local.aws.cloudformation.asked import from_s3

        text = from_s3(to.nested, str(to.get("TemplateURL")), to.region)
        parameters = {name: _text(value) for name, value in (to.get("Parameters") or {}).items()}
        own = {key: value for key, value in to.tags.items() if not key.startswith("aws:")}
        wanted = Wanted(text, parameters, {}, own, ["CAPABILITY_NAMED_IAM"])
        try:
            return to.nested.settle(child, wanted, to.region, set())  # type: ignore[no-any-return]
        except Refused as refusal:
            raise ResourceFailed(refusal.message) from None


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


ADAPTERS = (NestedStack(),)
