"""Wait condition handles: kept, as CloudFormation keeps them, for the sake of what refers to them."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.base import Context as To


class WaitConditionHandle(Adapter):
    """AWS::CloudFormation::WaitConditionHandle; without a condition that waits for it, it does nothing."""

    type = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, to: To) -> str:
        """Ref is an address."""
        return f"https://cloudformation-waitcondition-{to.region}.s3.{to.region}.amazonaws.com/{to.name(64)}"

    def delete(self, to: To) -> None:
        """There is nothing behind it."""


ADAPTERS = (WaitConditionHandle(),)
