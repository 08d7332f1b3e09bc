"""Packs the agent into one file that Python runs.

The controller serves it as jnlpJars/agent.jar to agents that connect by themselves, and copies it to agents that it starts by
SSH.
"""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

_ROOM = Path(__file__).parents[1]  # execution/
_PACKAGE = "jenkins_emulator"
_START = f"from {_PACKAGE}.execution.agent.{{}} import main\n\nmain()\n"
_MOMENT = (2020, 1, 1, 0, 0, 0)  # the same file each time


@functools.cache
def pack_agent(program: str = "program") -> bytes:
    """The file's content; `program` is the module that it runs."""
    content = io.BytesIO()
    sources = [_ROOM / "process.py", *sorted((_ROOM / "agent").glob("*.py"))]
    files = {f"{_PACKAGE}/execution/{path.relative_to(_ROOM)}": path.read_text() for path in sources}
    files |= {
        "__main__.py": _START.format(program),
        f"{_PACKAGE}/__init__.py": "",
        f"{_PACKAGE}/execution/__init__.py": "",
    }
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), text)
    return content.getvalue()
