"""The administrative monitors that are active: what Manage Jenkins warns of, by the ids that Jenkins gives them.

Only what can be true of the emulator is judged: its settings, and the Java that it finds. What looks at an update centre, at a
disk's state or at old data never warns here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ..execution import java
from ..failures import StepFailed
from ..model.home import Home

# When Jenkins stops to support a Java; it warns in the twelve months before.
JAVA_ENDS = {21: date(2027, 9, 30), 25: date(2029, 9, 30)}
JAVA = "jenkins.monitor.JavaVersionRecommendationAdminMonitor"
# The words whose every spelling a pattern of the audit trail must match once it matches them plainly.
AUDITED = (
    *("configSubmit", "doDelete", "postBuildResult", "enable", "disable", "cancelQueue", "stop", "toggleLogKeep"),
    *("doWipeOutWorkspace", "createItem", "createView", "toggleOffline", "cancelQuietDown", "quietDown", "restart"),
    *("exit", "safeExit"),
)


def active(home: Home) -> list[str]:
    """The ids of the active monitors, sorted."""
    identifiers = [identifier for identifier, judge in _JUDGES.items() if judge(home)]
    return sorted([*identifiers, *_of_java(home)])


def _value(home: Home, *path: str) -> Any:
    return home.configuration.value(*path)


def _has_others(home: Home) -> bool:
    return bool(_value(home, "jenkins", "nodes") or _value(home, "jenkins", "clouds"))


def _is_bypassable(home: Home) -> bool:
    pattern = str(_value(home, "unclassified", "audit-trail", "pattern") or "")
    if not pattern or "audit-trail" not in home.options.plugins:
        return False

    def accepts(path: str) -> bool:
        return re.fullmatch(pattern, path) is not None

    try:
        return any(
            accepts(f"/{word}") and not (accepts(f"/static/forged/{word}") and accepts(f"/{word}/forged"))
            for word in AUDITED
        )
    except re.error:
        return False


_JUDGES: dict[str, Callable[[Home], bool]] = {
    "jenkins.security.csp.impl.CspRecommendation": lambda it: (
        _value(it, "security", "contentSecurityPolicy", "enforce") is None
    ),
    "jenkins.diagnostics.ControllerExecutorsNoAgents": lambda it: (
        it.configuration.executors > 0 and not _has_others(it)
    ),
    "jenkins.diagnostics.ControllerExecutorsAgents": lambda it: it.configuration.executors > 0 and _has_others(it),
    "jenkins.diagnostics.SecurityIsOffMonitor": lambda it: not it.is_secured,
    "jenkins.diagnostics.RootUrlNotSetMonitor": lambda it: not it.configuration.url,
    "jenkins.security.apitoken.ApiTokenPropertyDisabledDefaultAdministrativeMonitor": lambda it: bool(
        _value(it, "security", "apiToken", "tokenGenerationOnCreationEnabled")
    ),
    "jenkins.security.apitoken.ApiTokenPropertyEnabledNewLegacyAdministrativeMonitor": lambda it: bool(
        _value(it, "security", "apiToken", "creationOfLegacyTokenEnabled")
    ),
    "hudson.plugins.audit_trail.BypassablePatternMonitor": _is_bypassable,
}


def _of_java(home: Home) -> list[str]:
    """The monitor of a Java whose support ends within a year; its id names the version, the day and how near it is."""
    version = _java_version(home)
    ends = JAVA_ENDS.get(version)
    if ends is None:
        return []
    today = datetime.now(UTC).date()
    months = (ends.year - today.year) * 12 + ends.month - today.month - (ends.day < today.day)
    return [f"{JAVA}-{version}-{ends}-{'DANGER' if months < 3 else 'WARNING'}"] if months < 12 else []


def _java_version(home: Home) -> int:
    """The feature release of the Java that is used, by the file that every one brings; 0 where that cannot be told."""
    try:
        program = Path(java.java(home.options.variables)).resolve()
        release = (program.parents[1] / "release").read_text()
    except (StepFailed, OSError):
        return 0
    match = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(match[1]) if match else 0
