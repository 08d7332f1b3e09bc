"""The effects of a configuration outside of the settings: accounts with their passwords, log recorders, the proxy.

Jenkins checks a text by configuring from it (DataBoundConfigurator.check), so a check that finds no fault does all of this as
well. The levels of log recorders are kept as Jenkins keeps them; nothing here logs by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..model import xmlfile
from ..model.configuration import dig
from ..model.security import Users

_LEVELS = {
    "ALL": -(2**31), "FINEST": 300, "FINER": 400, "FINE": 500, "CONFIG": 700, "INFO": 800, "WARNING": 900, "SEVERE": 1000,
    "OFF": 2**31 - 1,
}  # fmt: skip


def apply(tree: Mapping[str, Any], home: Path, users: Users, seal: Callable[[str], str]) -> None:
    """Apply the effects of checked settings."""
    for entry in dig(tree, "jenkins", "securityRealm", "local", "users") or []:
        _apply_user(users, entry)
    for recorder in dig(tree, "jenkins", "log", "recorders") or []:
        _write_recorder(home, recorder)
    proxy = dig(tree, "jenkins", "proxy")
    if proxy:
        _write_proxy(home, proxy, seal)


def _apply_user(users: Users, entry: Mapping[str, Any]) -> None:
    user = users.ensure(str(entry["id"]))
    user.full_name = str(entry.get("name") or user.full_name)
    user.description = str(entry.get("description") or user.description)
    for held in entry.get("properties") or []:
        user.email = str((held.get("mailer") or {}).get("emailAddress") or user.email)
    if entry.get("password"):
        users.set_password(user, str(entry["password"]))
    user.save()


def _write_recorder(home: Path, recorder: Mapping[str, Any]) -> None:
    name = str(recorder.get("name") or "")
    root = xmlfile.make_element("log")
    xmlfile.put(root, "name", name)
    loggers = xmlfile.put(root, "loggers")
    for logger in recorder.get("loggers") or []:
        level = str(logger.get("level") or "")
        target = xmlfile.put(loggers, "target")
        xmlfile.put(target, "name", str(logger.get("name") or ""))
        xmlfile.put(target, "level", _LEVELS.get(level, level))
    folder = home / "log"
    folder.mkdir(exist_ok=True)
    xmlfile.write(folder / f"{re.sub(r'[^ .0-9A-Za-z_-]', '_', name).lstrip('.') or '_'}.xml", xmlfile.serialise(root))


def _write_proxy(home: Path, proxy: Mapping[str, Any], seal: Callable[[str], str]) -> None:
    root = xmlfile.make_element("proxy")
    for name in ("name", "port", "userName", "noProxyHost", "testUrl"):
        if name in proxy:
            xmlfile.put(root, name, proxy[name])
    if proxy.get("secretPassword"):
        xmlfile.put(root, "secretPassword", seal(str(proxy["secretPassword"])))
    xmlfile.write(home / "proxy.xml", xmlfile.serialise(root), 0o600)
