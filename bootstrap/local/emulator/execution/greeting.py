"""The first message to the Groovy side of a Pipeline: its script, and what this Jenkins knows."""

from __future__ import annotations

from typing import Any

from ..casc.vocabulary import Vocabulary
from .engine import Engine
from .registry import STEPS, SYMBOLS
from .sandbox import is_sandboxed


def make_greeting(engine: Engine, script: str) -> dict[str, Any]:
    """The script with the steps, symbols, parameters and tools that it may use."""
    plugins, home = engine.home.options.plugins, engine.home
    steps = {
        name: {"main": entry.main, "isBlock": entry.is_block}
        for name, entry in STEPS.items()
        if not entry.plugin or entry.plugin in plugins
    }
    return {
        "script": script,
        "steps": {name: entry for name, entry in steps.items() if not name.startswith("_")},
        "symbols": [name for name, plugin in SYMBOLS.items() if not plugin or plugin in plugins],
        "params": engine.make_parameters(),
        "scm": {"$class": "own"} if engine.repository else None,
        "tools": home.configuration.tool_names,
        "unrecorded": Vocabulary(plugins).unrecorded_plugins,
        "isSandboxed": is_sandboxed(engine.build.job.root, home.configuration),
    }
