"""Writes failures to the service's journal as Jenkins does: a head line, then the exception with its innermost cause first.

The answer to a request never has the cause of a refusal. The journal has it, under a logging ID or the message of the reload.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
import uuid
from collections import deque

from .failures import ConfigurationRefused

_UNCAUGHT = "h.i.i.InstallUncaughtExceptionHandler#handleException"
# The last messages with their moments, levels and exceptions, for the page and the feed of the log.
RECENT: deque[tuple[str, str, str, str]] = deque(maxlen=256)
_FRAME = "\tat jenkins_emulator.{}({}.py)"


def write_message(level: str, source: str, message: str, exception: str = "") -> None:
    """Write one message; `source` is the logger, such as 'i.j.p.casc.ConfigurationAsCode#doReload'."""
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}+0000"
    head = f"{moment} [id={threading.get_native_id()}]\t{level}\t{source}: {message}"
    RECENT.append((moment, level, f"{source}: {message}", exception))
    print(head, *filter(None, [exception]), sep="\n", file=sys.stderr, flush=True)  # noqa: T201


def log_uncaught(fault: BaseException | str) -> str:
    """Log an exception, or its text, that no handler caught; returns the logging ID, which Jenkins shows on its page."""
    identifier = str(uuid.uuid4())
    shown = (
        fault
        if isinstance(fault, str)
        else render_refusal(fault)
        if isinstance(fault, ConfigurationRefused)
        else "".join(traceback.format_exception(fault)).rstrip()
    )
    write_message("WARNING", _UNCAUGHT, f"Caught unhandled exception with ID {identifier}", shown)
    return identifier


def render_refusal(refusal: ConfigurationRefused) -> str:
    """Render a refused configuration as Jenkins prints its exception: the cause first, then the exceptions that wrap it."""
    issue = refusal.issues[0]
    kind = "org.yaml.snakeyaml.error.MarkedYAMLException" if refusal.is_syntax else issue.kind
    inner, outer = _FRAME.format("check", "check"), _FRAME.format("reload", "controller")
    wrapped = f"{issue.cause}\n{inner}\nCaused: " if issue.cause else ""
    return f"{wrapped}{kind}: {issue.said}\n{inner}\n{outer}"
