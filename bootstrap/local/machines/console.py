"""What EC2's GetConsoleOutput answers for a machine: its console, and in it the block of its own SSH host keys.

cloud-init prints that block at the first boot (its module keys_to_console), which is how a client learns the host keys through
the cloud's API instead of trusting the first answer. EC2 keeps the last 64 KiB of a console.
"""

from __future__ import annotations

import re

BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
END = "-----END SSH HOST KEY KEYS-----"
KEPT_CHARACTERS = 64 * 1024
READ_HOST_KEYS = "cat /etc/ssh/ssh_host_*_key.pub"


def has_host_keys(console: str) -> bool:
    """Whether a whole block of host keys is in the text."""
    begin = console.rfind(BEGIN)
    return begin >= 0 and END in console[begin:]


def compose(log: str, host_keys: str) -> str:
    """The console's end; when the block is not in it, it is added, with `host_keys` as the machine's own files have them."""
    console = plain(log)[-KEPT_CHARACTERS:]
    if not has_host_keys(console) and host_keys.strip():
        console += f"\n{BEGIN}\n{host_keys.strip()}\n{END}\n"
    return console


def plain(text: str) -> str:
    """The text without terminal control sequences."""
    return re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>cM78])", "", text).replace(
        "\r", ""
    )
