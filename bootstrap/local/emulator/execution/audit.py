"""The audit trail, as the plugin audit-trail writes it: who changed what, which builds ran, on standard output or error.

A request is written down when its path matches the configured pattern; without a pattern in the settings none is.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import Any

from ..model.builds import Build
from ..model.credentials import CLASSES, Credential
from ..model.home import Home
from ..model.security import Identity

# The letters of Java's SimpleDateFormat that a log's times are made of.
_LETTERS = re.compile(r"'((?:[^']|'')*)'|(y+|M+|d+|H+|m+|s+|S+|Z+|X+)")
_PLAIN = {"y": "%Y", "M": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S", "Z": "%z", "X": "%z"}


class Audit:
    """Writes lines if the plugin is installed and a console logger is configured."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def _read_setting(self, name: str, default: Any) -> Any:
        return self._home.configuration.read("unclassified", "audit-trail", name, default=default)

    def _write(self, event: str) -> None:
        if "audit-trail" not in self._home.options.plugins:
            return
        for entry in self._read_setting("loggers", []):
            for logger in (entry[kind] for kind in ("console", "consoleAuditLogger") if kind in entry):
                prefix = f" - {logger['logPrefix']} - " if logger.get("logPrefix") else " - "
                stream = sys.stderr if logger["output"] == "STD_ERR" else sys.stdout
                moment = format_moment(datetime.now().astimezone(), logger["dateFormat"])
                print(f"{moment}{prefix}{event}", file=stream, flush=True)

    def log_request(self, identity: Identity, sender: str, raw_path: str, name: str | None) -> None:
        """Log a request, before its result is known; `name` is the query's, which says what is created."""
        path, pattern = normalise_path(raw_path.split("?", 1)[0]), self._read_setting("pattern", "")
        if not pattern or not _is_match(pattern, path):
            return
        extra = f" ({name})" if "/createItem" in path else ""
        self._write(f"{path}{extra} by {self._name_caller(identity)} from {sender}")

    def _name_caller(self, identity: Identity) -> str:
        if identity.is_anonymous:
            return "NA"
        is_full = self._read_setting("displayUserName", False)
        return self._home.find_full_name(identity.name) if is_full else identity.name

    def log_script(self, user: str, script: str) -> None:
        """Log a script of the script console."""
        if self._read_setting("logScriptUsage", False):
            origin = "Script Console Controller"
            self._write(
                f"A groovy script was executed by user '{user}'. Origin: {origin}. \nThe executed script: \n{script}"
            )

    def log_start(self, build: Build) -> None:
        """Log the begin of a build."""
        if self._read_setting("logBuildCause", True):
            self._write(f"{build.job.path} #{build.number} {_format_reasons(build)}")

    def log_end(self, build: Build) -> None:
        """Log the end of a build."""
        if self._read_setting("logBuildCause", True):
            begun = datetime.fromtimestamp(build.timestamp / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._write(
                f"{build.job.full_name.replace('/', ' » ')} {build.shown_name} {_format_reasons(build)} on Built-In Node "
                f"started at {begun} completed in {build.duration}ms completed: {build.result}"
            )

    def log_use(self, build: Build, credential: Credential) -> None:
        """Log that a build used a credential."""
        if self._read_setting("logCredentialsUsage", True):
            run = (
                "org.jenkinsci.plugins.workflow.job.WorkflowRun"
                if build.job.is_pipeline
                else "hudson.model.FreeStyleBuild"
            )
            kind = CLASSES.get(credential.kind, credential.kind)
            lent = f"used credentials '{credential.identifier}' (class {kind})."
            self._write(f"'{build.job.full_name}#{build.number}' (class {run}) {lent}")


def _is_match(pattern: str, path: str) -> bool:
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:
        return False


def _format_reasons(build: Build) -> str:
    causes = ", ".join(cause.text for cause in build.causes) or "Started"
    values = ", ".join(f"{it.name}: {{{'****' if it.is_secret else it.value}}}" for it in build.parameters)
    return f"{causes}, Parameters:[{values}]"


def normalise_path(path: str) -> str:
    """A path without empty parts, '.' and '..', so that no spelling of it goes past the pattern."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/" + "/".join(parts) + ("/" if parts and path.endswith("/") else "")


def format_moment(moment: datetime, pattern: str) -> str:
    """A time in a format of Java's SimpleDateFormat."""

    def replace(match: re.Match[str]) -> str:
        if match[2] is None:
            return (match[1] or "'").replace("''", "'")
        if match[2][0] == "S":
            return f"{moment.microsecond // 1000:0{len(match[2])}d}"
        return moment.strftime(_PLAIN[match[2][0]])

    return _LETTERS.sub(replace, pattern)
