"""The operations that list exports and the stacks that import them."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations.engine import Engine

Input = dict[str, Any]
Output = dict[str, Any]


class ExportApi:
    """Lists exports and imports."""

    _engine: Engine

    def ListExports(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the exports of the region."""
        exports = sorted(self._engine.scopes.list_exports(region).items())
        entries = [{"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (stack, value) in exports]
        return {"Exports": entries}

    def ListImports(self, request: Input, region: str) -> Output:  # noqa: N802
        """Return the names of the stacks that use an export."""
        users = self._engine.scopes.list_importers(request["ExportName"], region)
        if not users:
            raise Refused(f"Export '{request['ExportName']}' is not imported by any stack.")
        return {"Imports": users}
