"""The console that GetConsoleOutput answers with."""

from __future__ import annotations

from bootstrap.local.machines.console import (
    BEGIN,
    END,
    KEPT_CHARACTERS,
    compose,
    has_host_keys,
    remove_control_sequences,
)

KEYS = "ssh-ed25519 AAAA root@ip-10-77-0-5\n"
BLOCK = f"{BEGIN}\n{KEYS}{END}\n"


def test_block_that_cloud_init_printed_is_left_as_it_is() -> None:
    assert compose(f"booting\n{BLOCK}login:", "") == f"booting\n{BLOCK}login:"


def test_block_is_added_when_the_console_has_lost_it() -> None:
    console = compose(BLOCK + "x" * KEPT_CHARACTERS, KEYS)
    assert console.count(BEGIN) == 1
    assert console.endswith(BLOCK)


def test_half_a_block_counts_as_none() -> None:
    assert not has_host_keys(f"{BEGIN}\nssh-ed25519 AAAA")
    assert not has_host_keys(f"{END}\nsomething")
    assert has_host_keys(BLOCK)


def test_nothing_is_invented_when_no_keys_are_known() -> None:
    assert compose("booting\n", "") == "booting\n"


def test_console_is_free_of_terminal_control() -> None:
    assert remove_control_sequences("\x1b[0;32mOK\x1b[0m \x1b]0;title\x07done\x1b[!p\x1b[?25h\r\n") == "OK done\n"
