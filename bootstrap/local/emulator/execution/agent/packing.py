"""Packs the agent into one file that Python runs; the controller serves it as jnlpJars/agent.jar."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

_ROOM = Path(__file__).parents[1]  # execution/
_PACKAGE = "jenkins_emulator"
_START = f"from {_PACKAGE}.execution.agent.program import main\n\nmain()\n"
_MOMENT = (2020, 1, 1, 0, 0, 0)  # the same file each time


@functools.cache
def pack_agent() -> bytes:
    """The file's content."""
    content = io.BytesIO()
    sources = [_ROOM / "process.py", *sorted((_ROOM / "agent").glob("*.py"))]
    files = {f"{_PACKAGE}/execution/{path.relative_to(_ROOM)}": path.read_text() for path in sources}
    files |= {"__main__.py": _START, f"{_PACKAGE}/__init__.py": "", f"{_PACKAGE}/execution/__init__.py": ""}
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), text)
    return content.getvalue()
