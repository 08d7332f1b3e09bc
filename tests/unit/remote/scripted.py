"""A machine whose commands answer from a script; one that is not in it fails the test."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.remote.converge.core import Context, Failed

Answer = str | tuple[int, str]


@dataclass
class ScriptedContext(Context):
    """`script` gives the answer to each command line: its output, or exit code and error output."""

    script: Mapping[str, Answer] | Callable[[str], Answer] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    def run(
        self,
        command: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 300,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        line = " ".join(command)
        self.ran.append(line)
        answer = self.script(line) if callable(self.script) else self.script[line]
        code, text = answer if isinstance(answer, tuple) else (0, answer)
        if check and code:
            raise Failed("the command failed", line, code, text)
        return subprocess.CompletedProcess(list(command), code, "" if code else text, text if code else "")
