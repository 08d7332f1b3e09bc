"""How the console of a Pipeline shows a failure: by its message alone, or as Java prints an exception with its causes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

ABORT = "hudson.AbortException"
INTERRUPTION = "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"
STRUCTURE = "org.codehaus.groovy.control.MultipleCompilationErrorsException"
# Exceptions of these classes are expected failures too: each is a subclass of AbortException.
_EXPECTED = {ABORT, "org.jenkinsci.plugins.credentialsbinding.impl.CredentialNotFoundException"}
_PROXY = "hudson.remoting.ProxyException: "


def describe(error: Mapping[str, Any]) -> list[str]:
    """The lines of the console for a failure that the Groovy side or a step has described."""
    kind, message = str(error["kind"]), error.get("message")
    if kind in _EXPECTED or kind.startswith("emulator."):
        return [f"ERROR: {message}"]
    if kind == INTERRUPTION:
        return [*([str(message)] if message else []), _make_error_id()]
    if kind == STRUCTURE:
        return [f"{kind}: {message}"]
    return describe_fully(error)


def describe_fully(error: Mapping[str, Any]) -> list[str]:
    """The lines that Java prints for the exception of a failure, also of an expected one."""
    proxy = _PROXY if error.get("isProxied") else ""
    causes = [_format_head(proxy, cause) for cause in error.get("causes") or []]
    lines = [line if number == 0 else f"Caused: {line}" for number, line in enumerate(causes)]
    head = _format_head(proxy, error)
    return [
        *lines,
        f"Also:   {proxy}{_make_error_id()}",
        f"Caused: {head}" if causes else head,
        *(str(frame) for frame in error.get("trace") or []),
    ]


def _format_head(proxy: str, error: Mapping[str, Any]) -> str:
    kind, message = error.get("kind"), error.get("message")
    return f"{proxy}{kind}: {message}" if kind and message is not None else proxy + str(kind or message)


def _make_error_id() -> str:
    """The mark by which Jenkins finds the step that failed first."""
    return f"org.jenkinsci.plugins.workflow.actions.ErrorAction$ErrorId: {uuid.uuid4()}"
