"""A class data sharing archive of Java, made once while the service is idle: the Groovy programs start faster with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from ..options import Options
from .groovy_process import Program
from .groovy_programs import RUNNER, GroovyProgram, prepare_program

# A build that asks for little: what it loads is what every build loads.
SCRIPT = """pipeline { agent none
stages { stage('a') { steps { script { for (i in [1, 2]) { "${i}".trim() }; [a: 1].each { k, v -> k + v } } } } } }"""
STEPS = {"stage": {"main": "name", "isBlock": True}, "script": {"main": "", "isBlock": True}}
HELLO: dict[str, Any] = {
    "script": SCRIPT,
    "steps": STEPS,
    "symbols": [],
    "params": {},
    "scm": None,
    "isSandboxed": True,
}
SECONDS = 120


async def make_archive(options: Options) -> None:
    """Compile the programs and make the archive; does nothing if it exists, or if this Java cannot make one."""
    with contextlib.suppress(StepFailed, OSError, TimeoutError, ValueError):
        program = await prepare_program(options, RUNNER)
        if not program.archive.exists():
            await asyncio.wait_for(_record(program), SECONDS)


async def _record(program: GroovyProgram) -> None:
    draft = program.archive.with_suffix(f".{os.getpid()}")
    child = await asyncio.create_subprocess_exec(
        "nice",
        *program.make_recording_command(draft),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=program.environment,
        cwd="/",
        start_new_session=True,
    )
    talk = Program(child)
    try:
        talk.send(HELLO)
        while (message := await talk.receive()) and message["kind"] != "done":
            talk.send({"id": message["id"], "value": _answer(message)})
        if await child.wait() == 0 and message and not message.get("error"):
            draft.rename(program.archive)
    finally:
        await talk.end()
        Path(draft).unlink(missing_ok=True)


def _answer(message: dict[str, Any]) -> Any:
    if message["kind"] in {"enter", "leave"}:
        return {"context": "c", "isHandled": False}
    return {"_declare": {}, "_isDue": False}.get(message["name"])
