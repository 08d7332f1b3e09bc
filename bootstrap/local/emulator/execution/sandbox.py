"""Which Pipelines run in the sandbox of Groovy."""

from __future__ import annotations

from typing import Any

from ..model import xmlfile
from ..model.configuration import Configuration


def is_sandboxed(job: Any, configuration: Configuration) -> bool:
    """Whether a job's script is held to what script-security permits: by its own flag, or because the settings force it.

    A script from a repository has no flag: it always runs in the sandbox.
    """
    definition = job.find("definition")
    is_from_repository = definition is not None and str(definition.get("class", "")).endswith(".CpsScmFlowDefinition")
    is_forced = str(configuration.read("security", "scriptApproval", "forceSandbox", default="")).lower() == "true"
    is_chosen = definition is not None and xmlfile.read_text(definition, "sandbox").strip().lower() == "true"
    return is_from_repository or is_forced or is_chosen
