"""Checks a declarative Jenkinsfile without running it: Groovy only parses its text (see groovy/Validator.groovy)."""

from __future__ import annotations

import asyncio
from typing import Any

from ..casc.vocabulary import Vocabulary
from ..failures import Refused, StepFailed
from ..model.home import Home
from .groovy_process import Program
from .groovy_programs import VALIDATOR, prepare_program

SIZE_LIMIT = 256 * 1024  # characters
SECONDS = 30.0
AT_A_TIME, WAITING = 1, 8


class Validator:
    """Checks one text at a time: each is a process with a heap of its own."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_A_TIME)
        self._count = 0

    async def validate(self, home: Home, script: str) -> dict[str, Any]:
        """What `pipeline-model-converter/validateJenkinsfile` answers: success, or failure with the errors."""
        if len(script) > SIZE_LIMIT:
            raise Refused(413, f"the emulator checks no Jenkinsfile of more than {SIZE_LIMIT} characters")
        if self._count >= AT_A_TIME + WAITING:
            raise Refused(503, "the emulator has too many Jenkinsfiles to check; try again")
        self._count += 1
        try:
            async with self._turn:
                faults = await _find_faults(home, script)
        finally:
            self._count -= 1
        if not faults:
            return {"result": "success"}
        return {"result": "failure", "errors": [{"error": fault} for fault in faults]}

    async def explain(self, home: Home, script: str) -> tuple[str, bool]:
        """What is told to people about a text, and whether it is right."""
        result = await self.validate(home, script)
        if result["result"] == "success":
            return "Jenkinsfile successfully validated.\n", True
        return "Errors encountered validating Jenkinsfile:\n" + "".join(
            f"{fault['error']}\n" for fault in result["errors"]
        ), False


async def _find_faults(home: Home, script: str) -> list[str]:
    try:
        program = await Program.start(await prepare_program(home.options, VALIDATOR))
    except StepFailed as fault:
        raise Refused(500, str(fault.message)) from fault
    try:
        unrecorded = Vocabulary(home.options.plugins).unrecorded_plugins
        program.send({"script": script, "tools": home.configuration.tool_names, "unrecorded": unrecorded})
        program.close()
        answer = await asyncio.wait_for(program.receive(), SECONDS)
    except TimeoutError:
        return [f"the emulator gave up reading this text after {SECONDS:.0f} seconds"]
    except (BrokenPipeError, ConnectionResetError):
        answer = None
    finally:
        program.kill()
        await program.end()
    if answer is None:
        await program.finish_errors()
        raise Refused(500, f"the program that checks Jenkinsfiles ended with {program.describe_end()}")
    return [str(fault) for fault in answer["faults"]]
