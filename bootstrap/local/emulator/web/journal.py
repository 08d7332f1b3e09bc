"""What Jenkins writes into its journal of a failure: a head, then the exception from the inside out, each with its stack.

The cause of a refusal is never in the answer; it is here, under a logging ID or under the words of the reload.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
import uuid

from ..failures import ConfigurationRefused

_UNCAUGHT = "h.i.i.InstallUncaughtExceptionHandler#handleException"
_FRAME = "\tat jenkins_emulator.{}({}.py)"


def tell(level: str, place: str, message: str, exception: str = "") -> None:
    """One message of the log."""
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}+0000"
    head = f"{moment} [id={threading.get_native_id()}]\t{level}\t{place}: {message}"
    print(head, *filter(None, [exception]), sep="\n", file=sys.stderr, flush=True)  # noqa: T201


def uncaught(fault: BaseException) -> str:
    """Log what nobody caught, under an ID, and return that."""
    identifier = str(uuid.uuid4())
    shown = (
        stack(fault) if isinstance(fault, ConfigurationRefused) else "".join(traceback.format_exception(fault)).rstrip()
    )
    tell("WARNING", _UNCAUGHT, f"Caught unhandled exception with ID {identifier}", shown)
    return identifier


def stack(refusal: ConfigurationRefused) -> str:
    """A refusal of settings as Jenkins prints it: the cause first, then what wrapped it."""
    issue = refusal.issues[0]
    kind = "org.yaml.snakeyaml.error.MarkedYAMLException" if refusal.is_syntax else issue.kind
    inner, outer = _FRAME.format("check", "check"), _FRAME.format("reload", "controller")
    wrapped = f"{issue.cause}\n{inner}\nCaused: " if issue.cause else ""
    return f"{wrapped}{kind}: {issue.said}\n{inner}\n{outer}"
