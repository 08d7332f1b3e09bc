"""What the operator's own machine brings along for the new one: certificates it trusts, and where its pip looks.

In a company both matter: TLS that is intercepted with a private authority, and mirrors instead of the public indexes. Nothing
here names a mirror; it repeats what this machine is configured with.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bootstrap.errors import Missing

EXTRA_CERTIFICATES = Path("/usr/local/share/ca-certificates")
# Debian's bundle, on the machine: after update-ca-certificates it holds the extra certificates too.
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_KEYS = ("index-url", "extra-index-url", "trusted-host", "timeout")


def read_certificates(wished: str | Sequence[str], folder: Path = EXTRA_CERTIFICATES) -> dict[str, str]:
    """The certificates to trust, by file name: those at the wished paths, or with 'auto' this machine's extra ones."""
    paths = sorted(folder.glob("**/*.crt")) if isinstance(wished, str) else [Path(path).expanduser() for path in wished]
    certificates: dict[str, str] = {}
    for path in paths:
        try:
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise _make_unreadable(path, str(error)) from error
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise _make_unreadable(path, "it contains no PEM certificate")
        certificates[f"{path.stem}.crt"] = text
    return certificates


def _make_unreadable(path: Path, found: str) -> Missing:
    return Missing(f"reading the certificate {path}", found, "Correct host.ca_certificates in the environment file.")


def make_pip_configuration(listed: Iterable[str] | None = None) -> str:
    """A pip.conf for the machine, from `pip config list` here: the same indexes, where a machine elsewhere can reach them."""
    lines = ["[global]", f"cert = {_BUNDLE}", "disable-pip-version-check = true"]
    for line in _list_pip_settings() if listed is None else listed:
        key, _, value = line.partition("=")
        section, _, name = key.strip().rpartition(".")
        words = [word for word in value.strip().strip("'\"").replace("\\n", " ").split() if _is_reachable(name, word)]
        if section in {"global", "install", ":env:"} and name in _KEYS and words:
            lines.append(f"{name} = {' '.join(words)}")
    return "\n".join(lines) + "\n"


def _is_reachable(name: str, word: str) -> bool:
    """Whether a value means the same elsewhere: a path of this machine does not."""
    return word.startswith(("http://", "https://")) if name.endswith("index-url") else "/" not in word


def _list_pip_settings() -> list[str]:
    """The lines of `pip config list`: of Python's own pip, or of the toolkit's where Python has none (Debian)."""
    for python in (str(Path(sys.base_prefix) / "bin" / "python3"), sys.executable):
        done = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.splitlines()
    return []
