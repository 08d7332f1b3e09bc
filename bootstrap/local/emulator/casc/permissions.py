"""The permissions of a matrix as the settings write them: by title, by identifier, and in the old form of one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.security import is_permission

# The classes that declare permissions, with the titles of their groups.
_GROUPS = {
    "hudson.model.Hudson": "Overall",
    "hudson.model.Computer": "Agent",
    "hudson.model.Item": "Job",
    "hudson.model.Run": "Run",
    "hudson.model.View": "View",
    "hudson.scm.SCM": "SCM",
    "hudson.security.Permission": "N/A",
    "com.cloudbees.plugins.credentials.CredentialsProvider": "Credentials",
    "jenkins.metrics.api.Metrics": "Metrics",
    "org.jenkins.plugins.lockableresources.LockableResourcesManager": "Lockable Resources",
}
# Known to Jenkins, and of no effect in it any more, or for its own use.
_IDLE = {
    "Job/WipeOut",
    *(f"Overall/{right}" for right in ("RunScripts", "UploadPlugins", "ConfigureUpdateCenter")),
    *(f"N/A/Generic{right}" for right in ("Read", "Write", "Create", "Update", "Delete", "Configure")),
    "N/A/FullControl",
}
_KINDS = {"USER": "user", "GROUP": "group", "EITHER": "userOrGroup"}


def find_permission(text: str) -> str | None:
    """The permission that a text names, as GROUP/RIGHT; None if Jenkins has none of this name."""
    owner, _, right = text.rpartition(".")
    name = f"{_GROUPS[owner]}/{right}" if owner in _GROUPS else text
    return name if is_permission(name) or name in _IDLE else None


def read_matrix(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A matrix with every permission by its title, and with the lines of the old form as entries."""
    entries = [
        {
            kind: {
                **grant,
                "permissions": [find_permission(str(each)) or str(each) for each in grant.get("permissions") or []],
            }
            for kind, grant in entry.items()
        }
        for entry in settings.get("entries") or []
    ]
    for line in [*(settings.get("permissions") or []), *(settings.get("grantedPermissions") or [])]:
        kind, separator, rest = str(line).partition(":")
        kind, rest = (kind, rest) if separator and kind in _KINDS else ("EITHER", str(line))
        permission, _, name = rest.partition(":")
        entries.append({_KINDS[kind]: {"name": name, "permissions": [find_permission(permission) or permission]}})
    return {**settings, "entries": entries}
