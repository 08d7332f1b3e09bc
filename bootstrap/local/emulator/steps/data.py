"""Steps of pipeline-utility-steps that read data."""

from __future__ import annotations

import json
from typing import Any

from ..execution.registry import Step, step
from ..failures import StepFailed
from .node import current_node, directory

ILLEGAL = "java.lang.IllegalArgumentException"


@step("readJSON", main="file", plugin="pipeline-utility-steps")
async def read_json(call: Step) -> Any:
    """Read a JSON text or file; None if neither is given."""
    call.only("file", "text", "returnPojo")
    text, path, node = call.text("text").strip(), directory(call) / call.text("file"), current_node(call)
    if text and call.text("file"):
        raise StepFailed("At most one of file or text must be provided to readJSON.", ILLEGAL)
    if not text and not call.text("file"):
        return None
    kind = "" if text else await node.kind_of(path)
    if kind == "directory":
        raise StepFailed(f"{path} is a directory.", ILLEGAL)
    if not text and not kind:
        raise StepFailed(f"{path} does not exist.", "java.io.FileNotFoundException")
    try:
        return json.loads(text or await node.read(path))
    except ValueError as fault:
        raise StepFailed(str(fault), "net.sf.json.JSONException") from fault
