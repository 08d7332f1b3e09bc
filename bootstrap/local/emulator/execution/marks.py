"""The lines `[Pipeline] ...` of a console: the names of steps, and the braces of their bodies."""

from __future__ import annotations

_NAMES = {"_stage": "stage"}
_WITHOUT_BRACES = {"parallel", "retry", "waitUntil"}  # their branches or attempts have braces
_NAMED_BODIES = {"stage", "load"}


def describe_step(name: str) -> str:
    """The name of a step; empty for a request of the engine."""
    return _NAMES.get(name, "" if name.startswith("_") else name)


def describe_body(name: str, title: str) -> tuple[str, str]:
    """The lines at the begin and at the end of the body of a block; empty if it shows none."""
    if name in _WITHOUT_BRACES:
        return "", ""
    label = f" (Branch: {title})" if name == "_branch" else f" ({title})" if name in _NAMED_BODIES else ""
    return f"[Pipeline] {{{label}", "[Pipeline] }"
