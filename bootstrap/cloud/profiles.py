"""Profiles of the AWS CLI in ~/.aws: written for one cloud of this machine, without touching any other profile."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bootstrap.errors import UsageError

_OURS = re.compile(r"(?m)^endpoint_url\s*=\s*http://127\.0\.0\.1:\d+\s*$")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def write(name: str, variables: Mapping[str, str]) -> tuple[Path, Path]:
    """Write the profile, or renew it; UsageError where another cloud's has that name."""
    doing = f"writing the profile '{name}'"
    if not _NAME.fullmatch(name) or name == "default":
        raise UsageError(
            doing, "that is no name for it", "Choose letters, digits, '.', '_' and '-', and not 'default'."
        )
    config = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    settings, secrets = _section(config, f"profile {name}"), _section(credentials, name)
    if (settings or secrets) and not _OURS.search(settings):
        raise UsageError(
            doing, f"{config} or {credentials} has one of that name, for AWS itself", "Choose another name."
        )
    told = {"region": variables["AWS_REGION"], "endpoint_url": variables["AWS_ENDPOINT_URL"]}
    keys = {key.lower(): variables[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    _put(config, f"profile {name}", told)
    _put(credentials, name, keys)
    return config, credentials


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _pattern(title: str) -> re.Pattern[str]:
    """A section with its lines, up to the next one."""
    return re.compile(rf"(?m)^\[{re.escape(title)}\][^\n]*\n(?:(?!\[)[^\n]*\n?)*")


def _section(path: Path, title: str) -> str:
    found = _pattern(title).search(_text(path))
    return found[0] if found else ""


def _put(path: Path, title: str, values: Mapping[str, str]) -> None:
    """Put a section in the place of the one of this title, or at the end; the file is its owner's alone, whole or as before."""
    text = _pattern(title).sub("", _text(path))
    text += "\n" if text and not text.endswith("\n") else ""
    text += f"[{title}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as out:
        out.write(text)
    part.replace(path)
