"""The messages between controller and agent: JSON objects, each one message of a WebSocket or one line; bytes are in base64."""

from __future__ import annotations

import base64
import json
from typing import Any

PATH = "wsagents/"
NAME, SECRET = (
    "Node-Name",
    "Secret-Key",
)  # the headers with which an agent presents itself, as Jenkins' remoting names them
LIMIT = 128 << 20  # bytes of one message; an archive of a build must fit
BEGIN = (
    "<===[JENKINS EMULATOR AGENT]===>"  # the line after which an agent speaks; what comes before it is noise of a login
)
_BYTES = "$bytes"


def dump(message: dict[str, Any]) -> str:
    """A message as text."""
    return json.dumps(message, default=_pack_value)


def load(text: str) -> dict[str, Any]:
    """A message from its text; ValueError for anything else."""
    message = json.loads(text, object_hook=_unpack_value)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 -- it is a text that is wrong
    return message


def _pack_value(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _unpack_value(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
