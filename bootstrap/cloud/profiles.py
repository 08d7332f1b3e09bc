"""Writes profiles of the AWS CLI in ~/.aws for a local cloud; other profiles are not changed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bootstrap.environment import user_files
from bootstrap.errors import UsageError

_LOCAL_ENDPOINT = re.compile(r"(?m)^endpoint_url\s*=\s*http://127\.0\.0\.1:\d+\s*$")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def write(name: str, variables: Mapping[str, str]) -> tuple[Path, Path]:
    """Write or replace a profile; returns both files. UsageError if the name is not valid, or is a profile of another cloud."""
    doing = f"writing the profile '{name}'"
    if not _NAME.fullmatch(name) or name == "default":
        raise UsageError(doing, "the name is not valid", "Choose letters, digits, '.', '_' and '-', and not 'default'.")
    config = Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config").expanduser()
    credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials").expanduser()
    for file in (config, credentials):
        if obstacle := user_files.find_obstacle(file):
            raise UsageError(doing, obstacle, user_files.advise(file))
    settings, secrets = _find_section(config, f"profile {name}"), _find_section(credentials, name)
    if (settings or secrets) and not _LOCAL_ENDPOINT.search(settings):
        raise UsageError(
            doing,
            f"{config} or {credentials} has a profile of this name that is not for a local cloud",
            "Choose another name.",
        )
    settings_values = {"region": variables["AWS_REGION"], "endpoint_url": variables["AWS_ENDPOINT_URL"]}
    keys = {key.lower(): variables[key] for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    _replace_section(config, f"profile {name}", settings_values)
    _replace_section(credentials, name, keys)
    return config, credentials


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _make_pattern(title: str) -> re.Pattern[str]:
    """Matches a section with its lines, up to the next section."""
    return re.compile(rf"(?m)^\[{re.escape(title)}\][^\n]*\n(?:(?!\[)[^\n]*\n?)*")


def _find_section(path: Path, title: str) -> str:
    match = _make_pattern(title).search(_read_text(path))
    return match[0] if match else ""


def _replace_section(path: Path, title: str, values: Mapping[str, str]) -> None:
    """Replace the section with this title, or append it. The file has mode 0600 and is replaced as a whole."""
    text = _make_pattern(title).sub("", _read_text(path))
    text += "\n" if text and not text.endswith("\n") else ""
    text += f"[{title}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as out:
        out.write(text)
    part.replace(path)
