"""Commands of the plugins configuration-as-code and pipeline-model-definition."""

from __future__ import annotations

from ..casc.export import Exporter
from ..casc.present import collect_settings
from .commands import Context, register_command

_SOURCE = "/configuration-as-code/"
_NO_ADMINISTRATOR = -1  # the commands end with this code, and say nothing


async def _read(context: Context) -> str:
    """What the caller typed; bytes that are no UTF-8 are replaced, as Java does."""
    return (await context.terminal.read()).decode("utf-8", "replace")


@register_command("apply-configuration", "Apply YAML configuration to instance")
async def apply_configuration(context: Context) -> int:
    """Apply the settings on the standard input after those of the files."""
    if not context.allows("Overall/Administer"):
        return _NO_ADMINISTRATOR
    await context.controller.reload(await _read(context), f"{_SOURCE}apply")
    return 0


@register_command("check-configuration", "Check YAML configuration to instance")
async def check_configuration(context: Context) -> int:
    """Check the settings on the standard input; as in Jenkins, that has effects."""
    if not context.allows("Overall/Administer"):
        return _NO_ADMINISTRATOR
    for each in await context.controller.check(await _read(context), f"{_SOURCE}check"):
        await context.terminal.complain(f"warning: line {each.line} {each.message}")
    return 0


@register_command("export-configuration", "Export jenkins configuration as YAML")
async def export_configuration(context: Context) -> int:
    """Print all settings."""
    if not context.allows("Overall/Administer"):
        return _NO_ADMINISTRATOR
    home = context.controller.home
    await context.terminal.print(Exporter(home.options.plugins, home.vault.seal).export(collect_settings(home)))
    return 0


@register_command("reload-jcasc-configuration", "Reload JCasC YAML configuration")
async def reload_configuration(context: Context) -> int:
    """Read the files of settings again."""
    if not context.allows("Overall/Administer"):
        return _NO_ADMINISTRATOR
    await context.controller.reload()
    return 0


@register_command("declarative-linter", "Validate a Jenkinsfile containing a Declarative Pipeline")
async def lint(context: Context) -> int:
    """Check the Jenkinsfile on the standard input; exit code 1 for one with faults."""
    words, is_right = await context.controller.validator.explain(context.controller.home, await _read(context))
    await context.terminal.print(words)
    return 0 if is_right else 1
