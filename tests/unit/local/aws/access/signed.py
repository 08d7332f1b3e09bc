"""Requests as a server receives them, signed by botocore's own signers."""

from __future__ import annotations

import hashlib
import urllib.parse
from typing import Any

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bootstrap.local.aws.server import requests

KEY, SECRET = "AKIAABCDEFGHIJKLMNOP", "a-secret/with+signs"
URL = "http://10.0.0.1:4000"


def environ(request: Any) -> requests.Environ:
    """What a WSGI server makes of a prepared request."""
    parts = urllib.parse.urlsplit(request.url)
    record = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": urllib.parse.unquote(parts.path, "latin-1") or "/",
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "QUERY_STRING": parts.query,
        "HTTP_HOST": parts.netloc,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode() if isinstance(value, bytes) else str(value)
        record[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = text
    body = request.body or b""
    return requests.make_environ(record, body if isinstance(body, bytes) else body.encode())


def signed(
    service: str,
    path: str = "/",
    body: bytes = b"",
    *,
    method: str = "POST",
    secret: str = SECRET,
    token: str | None = None,
    expires: int | None = None,
    **headers: str,
) -> requests.Environ:
    """A signed request; presigned where `expires` says for how many seconds."""
    request = AWSRequest(method, URL + path, {name.replace("_", "-"): value for name, value in headers.items()}, body)
    keys = Credentials(KEY, secret, token)
    if expires is not None:
        query = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        query(keys, service, "eu-central-1", expires).add_auth(request)
    else:
        (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, "eu-central-1").add_auth(request)
    return environ(request.prepare())


def chunked(parts: list[bytes], trailer: dict[str, str] | None = None) -> requests.Environ:
    """An upload to S3 in chunks, each of which is signed."""
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    length = str(sum(map(len, parts)))
    headers = {"X-Amz-Decoded-Content-Length": length, "Content-Encoding": "aws-chunked"}
    request = AWSRequest("PUT", f"{URL}/bucket/key", headers, b"")

    class Streaming(S3SigV4Auth):
        def payload(self, request: Any) -> str:
            return kind

    signer = Streaming(Credentials(KEY, SECRET), "s3", "eu-central-1")
    signer.add_auth(request)
    stamp = request.context["timestamp"]
    before = request.headers["Authorization"].rpartition("Signature=")[2]
    body, empty = b"", hashlib.sha256(b"").hexdigest()

    def sign(name: str, *lines: str) -> str:
        text = "\n".join([f"AWS4-HMAC-SHA256-{name}", stamp, signer.credential_scope(request), before, *lines])
        return str(signer.signature(text, request))

    for part in [*parts, b""]:
        before = sign("PAYLOAD", empty, hashlib.sha256(part).hexdigest())
        body += f"{len(part):x};chunk-signature={before}\r\n".encode() + part + (b"\r\n" if part else b"")
    if trailer:
        text = "".join(f"{name}:{value}\n" for name, value in trailer.items())
        signature = sign("TRAILER", hashlib.sha256(text.encode()).hexdigest())
        body += text.replace("\n", "\r\n").encode() + f"x-amz-trailer-signature:{signature}\r\n\r\n".encode()
    else:
        body += b"\r\n"
    made = environ(request.prepare())
    requests.set_body(made, body)
    return made
