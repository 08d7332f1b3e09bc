"""Checks bodies for S3 that are sent in chunks; each chunk has a signature that includes the signature before it."""

from __future__ import annotations

import hashlib
import hmac
import re

from bootstrap.local.aws.access.refusals import Kind, Refused

_EMPTY = hashlib.sha256(b"").hexdigest()
_SIGNATURE = b"x-amz-trailer-signature"
_LONGEST_HEAD = 256


class Chain:
    """The signatures of one body; the first one is the signature of the request."""

    def __init__(self, secret: str, scope: str, stamp: str, signature: str) -> None:
        key = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        self._key = key
        self._about = [stamp, scope]
        self._before = signature

    def check(self, kind: str, parts: list[str], signature: bytes) -> None:
        """Raise Refused if the next signature differs from the one that the key makes."""
        to_sign = "\n".join([f"AWS4-HMAC-SHA256-{kind}", *self._about, self._before, *parts])
        expected = hmac.new(self._key, to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature):
            raise Refused(Kind.MISMATCH)
        self._before = expected


def verify(chain: Chain, body: bytes, decoded_length: str, *, has_trailer: bool) -> None:
    """Check the signature of each chunk, the signature of the trailing headers, and the declared length."""
    position, total, size = 0, 0, -1
    while size != 0:
        line, position = _read_head(body, position)
        size_text, _, signature = line.partition(b";chunk-signature=")
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size_text):
            raise _make_incomplete_refusal("a chunk has no size")
        size = int(size_text, 16)
        data = body[position : position + size]
        chain.check("PAYLOAD", [_EMPTY, hashlib.sha256(data).hexdigest()], signature)
        total += size
        position += size
        if size and body[position : position + 2] != b"\r\n":
            raise _make_incomplete_refusal("a chunk is shorter than its size")
        position += 2 if size else 0
    if has_trailer:
        _verify_trailer(chain, body[position:])
    if decoded_length != str(total):
        raise _make_incomplete_refusal(
            f"x-amz-decoded-content-length is {decoded_length or 'missing'}, the body has {total} bytes"
        )


def _verify_trailer(chain: Chain, rest: bytes) -> None:
    headers, signature = [], b""
    for name, _, value in (line.partition(b":") for line in rest.split(b"\r\n") if line):
        if name.lower() == _SIGNATURE:
            signature = value.strip()
        else:
            headers.append(name.strip().lower() + b":" + value.strip() + b"\n")
    chain.check("TRAILER", [hashlib.sha256(b"".join(headers)).hexdigest()], signature)


def _read_head(body: bytes, position: int) -> tuple[bytes, int]:
    end = body.find(b"\r\n", position, position + _LONGEST_HEAD)
    if end < 0:
        raise _make_incomplete_refusal("a chunk has no head")
    return body[position:end], end + 2


def _make_incomplete_refusal(why: str) -> Refused:
    return Refused(Kind.INVALID, f"The request body terminated unexpectedly ({why})", "IncompleteBody")
