"""Checking a declarative Jenkinsfile without running it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ..surroundings import Surroundings
from . import process
from .groovyrunner import runner_command
from .registry import SYMBOLS


async def validate(surroundings: Surroundings, script: str) -> dict[str, Any]:
    """What `pipeline-model-converter/validateJenkinsfile` answers: success, or failure with the errors."""
    command = await runner_command(surroundings)
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=surroundings.build_variables,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stdout is not None
    hello: dict[str, Any] = {
        "script": script,
        "steps": {},
        "symbols": list(SYMBOLS),
        "params": {},
        "scm": None,
        "isCheck": True,
    }
    child.stdin.write(json.dumps(hello).encode() + b"\n")
    try:
        message = json.loads(await asyncio.wait_for(child.stdout.readline(), 60) or b"{}")
    finally:
        await process.stop_group(child)
    error = (
        message.get("error")
        if message.get("kind") == "done"
        else {"message": "only a declarative pipeline can be checked"}
    )
    if not error:
        return {"result": "success"}
    return {"result": "failure", "errors": [{"error": line} for line in str(error.get("message")).strip().splitlines()]}
