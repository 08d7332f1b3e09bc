"""The text for EC2's GetConsoleOutput: the console of a machine, with the block of its SSH host keys.

cloud-init prints this block at the first boot (module keys_to_console). So a client gets the host keys through the API of the
cloud and need not trust the first answer of a machine. EC2 returns the last 64 KiB of a console.
"""

from __future__ import annotations

import re

BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
END = "-----END SSH HOST KEY KEYS-----"
KEPT_CHARACTERS = 64 * 1024
READ_HOST_KEYS = "cat /etc/ssh/ssh_host_*_key.pub"


def has_host_keys(console: str) -> bool:
    """Whether the text has a complete block of host keys."""
    begin = console.rfind(BEGIN)
    return begin >= 0 and END in console[begin:]


def compose(log: str, host_keys: str) -> str:
    """The end of the console. If it has no block of host keys, a block with `host_keys` is added."""
    console = remove_control_sequences(log)[-KEPT_CHARACTERS:]
    if not has_host_keys(console) and host_keys.strip():
        console += f"\n{BEGIN}\n{host_keys.strip()}\n{END}\n"
    return console


def remove_control_sequences(text: str) -> str:
    """The text without terminal control sequences."""
    return re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>cM78])", "", text).replace(
        "\r", ""
    )
