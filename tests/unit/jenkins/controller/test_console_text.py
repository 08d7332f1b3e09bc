"""A console's pieces become the same text however they were cut, and nothing of them commands the terminal."""

import base64
import gzip
import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.jenkins.controller.console_text import ConsoleText, clean_line

NOTE = f"\x1b[8mha:{base64.b64encode(bytes(3) + gzip.compress(b'note' * 20)).decode()}\x1b[0m"


def read(*pieces: bytes) -> str:
    console = ConsoleText()
    return "".join([*map(console.read, pieces), console.take_rest()])


# What a build says, and what is shown of it.
SHOWN = {
    "a note before a line": (f"{NOTE}[Pipeline] sh\r\n", "[Pipeline] sh\n"),
    "a note within a line": (f"Started by user {NOTE}Admin\r\n", "Started by user Admin\n"),
    "two notes": (f"{NOTE}{NOTE}x", "x"),
    "a colour": ("\x1b[31;1mred\x1b[0m", "red"),
    "a title": ("\x1b]0;owned\x07x\x1b]2;owned\x1b\\y", "xy"),
    "a title without an end": ("\x1b]0;owned\nx", "\nx"),
    "a title that another sequence ends": ("\x1b]0;owned\x1b[1mx", "x"),
    "sequences of 8 bits": ("\x9b2Jx\x9d0;t\x9cy\x90q\x1b\\z", "xyz"),
    "letters after ESC": ("\x1bcx\x1b(By\x1b7", "xy"),
    "controls": ("a\x00\x07\x08\x0b\x0c\x7f\x85b\tc\n", "ab\tc\n"),
    "a hidden text that is no note": ("\x1b[8mha!x\x1b[0m", "ha!x"),
    "half a note": ("x\x1b[8mha:AAAA", "xha:AAAA"),
    "a note within a note": (f"\x1b[8mha:AAAA{NOTE}x", "ha:AAAAx"),
    "ESC at the end": ("x\x1b", "x"),
    "letters of many languages": ("Grüße, ‘Jenkins’ 𝄞", "Grüße, ‘Jenkins’ 𝄞"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_console_text_for_a_terminal(case: str) -> None:
    sent, shown = SHOWN[case]
    data = sent.encode()
    assert shown == read(data)
    assert shown == read(*(data[place : place + 1] for place in range(len(data))))


def test_invalid_bytes_are_shown_as_unknown_characters() -> None:
    assert "a\ufffdb\ufffd" == read(b"a\xffb\xe2\x80")


def test_a_sequence_without_an_end_is_not_waited_for() -> None:
    console = ConsoleText()
    shown = console.read(b"\x1b[8mha:" + b"A" * 200_000)
    assert shown.endswith("AAAA")
    assert "x" in console.read(b"x")
    assert "0;" + "t" * 9000 == read(b"\x1b]0;" + b"t" * 9000)[-9002:]


def test_complete_and_incomplete_lines_are_written_at_once() -> None:
    console = ConsoleText()
    assert "one\ntw" == console.read(b"one\r\ntw")
    assert "o" == console.read(b"o\x1b[8mha:AA")
    assert "\n" == console.read(b"AA\x1b[0m\r\n")


def test_a_message_becomes_one_clean_line() -> None:
    assert "‘Jenkins’ is reserved" == clean_line("‘Jenkins’\x1b[2J is\r\n reserved")


PARTS = st.one_of(
    st.sampled_from([*(sent for sent, _ in SHOWN.values()), "\x1b", "[", "8mha:", "\x1b[0m", "\x9d", "\x1b\\", "\r\n"]),
    st.text(max_size=4),
)


@given(st.lists(PARTS), st.binary(max_size=3), st.lists(st.integers(0, 4000)))
def test_any_split_gives_the_same_text(parts: list[str], noise: bytes, cuts: list[int]) -> None:
    data = "".join(parts).encode("utf-8", "surrogatepass") + noise + "".join(parts[:2]).encode("utf-8", "surrogatepass")
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]

    shown = read(*pieces)

    assert read(data) == shown
    assert not [letter for letter in shown if letter not in "\n\t" and unicodedata.category(letter) == "Cc"]
