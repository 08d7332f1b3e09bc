"""Frames that come in pieces, that are broken, and texts in Java's form of UTF-8."""

import pytest

from bootstrap.local.emulator.command_line.protocol import (
    BrokenStream,
    FrameReader,
    Operation,
    add_length,
    make_frame,
    read_text,
)


def test_frames_are_cut_wherever_the_pieces_end() -> None:
    frames = [make_frame(Operation.START), make_frame(Operation.STDIN, b"some"), make_frame(Operation.STDIN, b"")]
    stream = b"".join(map(add_length, frames))

    for size in range(1, len(stream) + 1):
        reader = FrameReader(100)
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert frames == [frame for piece in pieces for frame in reader.feed(piece)]


@pytest.mark.parametrize("stream", [b"\xff\xff\xff\xff\x00", b"\x00\x00\x00\x65\x00"])
def test_frame_of_an_impossible_length_breaks_the_stream(stream: bytes) -> None:
    with pytest.raises(BrokenStream):
        FrameReader(100).feed(stream)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"\x00\x02\xc3\xb6", "ö"),
        (b"\x00\x02\xc0\x80", "\0"),
        (b"\x00\x06\xed\xa0\xbd\xed\xb8\x80", "\N{GRINNING FACE}"),
        (b"\x00\x00", ""),
    ],
)
def test_text_of_java_is_read(written: bytes, text: str) -> None:
    assert text == read_text(written)


@pytest.mark.parametrize("written", [b"", b"\x00", b"\x00\x02a", b"\x00\x01\xff"])
def test_text_that_is_none_breaks_the_stream(written: bytes) -> None:
    with pytest.raises(BrokenStream):
        read_text(written)
