#!/usr/bin/python3 -IS
"""The one program that sshd runs for the jobs of the toolkit on their agents, in the place of the command that they ask for.

A launch lists the questions that it answers, each with the command that answers it. It takes no other word of the client.
"""

import json
import os
import sys
from pathlib import Path

ANSWERS = Path("/etc/bootstrap/jobs-answers.json")


def main() -> None:
    """Become the command that answers the question."""
    asked = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    command = json.loads(ANSWERS.read_text(encoding="utf-8")).get(asked)
    if command is None:
        shown = " ".join(asked.split())[:120] or "a shell"
        sys.exit(
            f"answer-jobs: this key opens only what the last launch listed in {ANSWERS}, not: {shown}\n"
            "If the toolkit asks new questions since then, launch again."
        )
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
