"""The agent's command line: the flags of agent.jar for a name, a secret and a WebSocket."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from .connection import Agent


def main() -> None:
    """Serve one controller until the process is ended."""
    parser = argparse.ArgumentParser(prog="agent.jar", allow_abbrev=False)
    parser.add_argument("-url", required=True)
    parser.add_argument("-name", required=True)
    parser.add_argument("-secret", required=True, help="the secret, or @FILE")
    parser.add_argument("-webSocket", action="store_true", required=True)
    parser.add_argument("-workDir", required=True)
    options = parser.parse_args()
    os.chdir(options.workDir)
    secret = options.secret
    if secret.startswith("@"):
        secret = Path(secret[1:]).read_text().strip()
    # As for builds of the controller: this process' own business with its supervisor is none of theirs.
    for name in ("NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID"):
        os.environ.pop(name, None)
    asyncio.run(Agent(options.url, options.name, secret).serve())
