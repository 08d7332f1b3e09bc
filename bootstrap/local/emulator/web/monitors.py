"""Finds the active administrative monitors: the warnings of Manage Jenkins, by Jenkins' own ids.

Only monitors that can apply to the emulator are judged: those of its settings, and of the Java that it uses. Monitors of the
update centre, of the disk or of old data are never active here.
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

# The day on which Jenkins ends the support of a Java; it warns in the twelve months before.
JAVA_ENDS = {21: date(2027, 9, 30), 25: date(2029, 9, 30)}
JAVA = "jenkins.monitor.JavaVersionRecommendationAdminMonitor"
# A pattern of the audit trail that matches one of these words as a path must also match it below or above other paths.
AUDITED = (
    *("configSubmit", "doDelete", "postBuildResult", "enable", "disable", "cancelQueue", "stop", "toggleLogKeep"),
    *("doWipeOutWorkspace", "createItem", "createView", "toggleOffline", "cancelQuietDown", "quietDown", "restart"),
    *("exit", "safeExit"),
)


def find_active(home: Home) -> list[str]:
    """Find the active monitors; returns their ids, sorted."""
    identifiers = [identifier for identifier, judge in _JUDGES.items() if judge(home)]
    return sorted([*identifiers, *_judge_java(home)])


def _read_setting(home: Home, *path: str) -> Any:
    return home.configuration.read(*path)


def _has_agents(home: Home) -> bool:
    return bool(_read_setting(home, "jenkins", "nodes") or _read_setting(home, "jenkins", "clouds"))


def _is_bypassable(home: Home) -> bool:
    pattern = str(_read_setting(home, "unclassified", "audit-trail", "pattern") or "")
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
    "jenkins.security.csp.impl.CspRecommendation": lambda home: (
        _read_setting(home, "security", "contentSecurityPolicy", "enforce") is None
    ),
    "jenkins.diagnostics.ControllerExecutorsNoAgents": lambda home: (
        home.configuration.executors > 0 and not _has_agents(home)
    ),
    "jenkins.diagnostics.ControllerExecutorsAgents": lambda home: (
        home.configuration.executors > 0 and _has_agents(home)
    ),
    "jenkins.diagnostics.SecurityIsOffMonitor": lambda home: not home.is_secured,
    "jenkins.diagnostics.RootUrlNotSetMonitor": lambda home: not home.configuration.url,
    "jenkins.security.apitoken.ApiTokenPropertyDisabledDefaultAdministrativeMonitor": lambda home: bool(
        _read_setting(home, "security", "apiToken", "tokenGenerationOnCreationEnabled")
    ),
    "jenkins.security.apitoken.ApiTokenPropertyEnabledNewLegacyAdministrativeMonitor": lambda home: bool(
        _read_setting(home, "security", "apiToken", "creationOfLegacyTokenEnabled")
    ),
    "hudson.plugins.audit_trail.BypassablePatternMonitor": _is_bypassable,
}


def _judge_java(home: Home) -> list[str]:
    """Find the monitor of a Java whose support ends within a year; its id has the version, the day and the severity."""
    version = _read_java_version(home)
    ends = JAVA_ENDS.get(version)
    if ends is None:
        return []
    today = datetime.now(UTC).date()
    months = (ends.year - today.year) * 12 + ends.month - today.month - (ends.day < today.day)
    return [f"{JAVA}-{version}-{ends}-{'DANGER' if months < 3 else 'WARNING'}"] if months < 12 else []


def _read_java_version(home: Home) -> int:
    """Read the feature release of Java from the file `release` of its directory; 0 if there is no Java or no such file."""
    try:
        program = Path(java.find_java(home.options.variables)).resolve()
        release = (program.parents[1] / "release").read_text()
    except (StepFailed, OSError):
        return 0
    match = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(match[1]) if match else 0
