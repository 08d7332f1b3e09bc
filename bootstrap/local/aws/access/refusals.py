"""Writes refusals as the called service does: with its error codes, its status codes, and the form of its responses.

The kinds of refusals are the same for all services of AWS; the error code and the status of a kind differ.
"""

from __future__ import annotations

import functools
import json
import secrets
from dataclasses import dataclass, field
from enum import Enum, auto
from xml.sax.saxutils import escape

from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ, Response


class Kind(Enum):
    """The reason why a call is refused before it is carried out."""

    MISSING = auto()  # there is no signature
    INCOMPLETE = auto()  # a part of the signature is missing
    UNKNOWN_KEY = auto()
    BAD_TOKEN = auto()  # the session token is not that of the key
    EXPIRED_TOKEN = auto()
    MISMATCH = auto()  # the signature is not the one that the key makes
    SKEWED = auto()  # signed too long ago, or in the future
    EXPIRED_URL = auto()
    DENIED = auto()  # no policy allows it
    INVALID = auto()  # the request is not valid; `code` has the error code


@dataclass
class Refused(Exception):
    """A call that is not carried out. `message` and `code` replace those that the service has for the kind."""

    kind: Kind
    message: str = ""
    code: str = ""
    details: dict[str, str] = field(default_factory=dict)  # further elements of S3's answer


Words = tuple[str, int, str]  # code, status, message
_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)
_UNVALIDATED = "AWS was not able to validate the provided access credentials"

_QUERY: dict[Kind, Words] = {
    Kind.MISSING: ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
    Kind.INCOMPLETE: ("IncompleteSignature", 400, ""),
    Kind.UNKNOWN_KEY: ("InvalidClientTokenId", 403, _INVALID),
    Kind.BAD_TOKEN: ("InvalidClientTokenId", 403, _INVALID),
    Kind.EXPIRED_TOKEN: ("ExpiredToken", 403, _EXPIRED),
    Kind.MISMATCH: ("SignatureDoesNotMatch", 403, _MISMATCH),
    Kind.SKEWED: ("SignatureDoesNotMatch", 403, ""),
    Kind.EXPIRED_URL: ("SignatureDoesNotMatch", 403, ""),
    Kind.DENIED: ("AccessDenied", 403, ""),
    Kind.INVALID: ("ValidationError", 400, ""),
}
_EC2: dict[Kind, Words] = {
    Kind.MISSING: ("MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"),
    Kind.INCOMPLETE: ("IncompleteSignature", 400, ""),
    Kind.UNKNOWN_KEY: ("AuthFailure", 401, _UNVALIDATED),
    Kind.BAD_TOKEN: ("AuthFailure", 401, _UNVALIDATED),
    Kind.EXPIRED_TOKEN: ("RequestExpired", 400, "Request has expired."),
    Kind.MISMATCH: ("AuthFailure", 401, _UNVALIDATED),
    Kind.SKEWED: ("RequestExpired", 400, "Request has expired."),
    Kind.EXPIRED_URL: ("RequestExpired", 400, "Request has expired."),
    Kind.DENIED: ("UnauthorizedOperation", 403, ""),
    Kind.INVALID: ("InvalidParameterValue", 400, ""),
}
_JSON: dict[Kind, Words] = {
    Kind.MISSING: ("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
    Kind.INCOMPLETE: ("IncompleteSignatureException", 400, ""),
    Kind.UNKNOWN_KEY: ("UnrecognizedClientException", 400, _INVALID),
    Kind.BAD_TOKEN: ("UnrecognizedClientException", 400, _INVALID),
    Kind.EXPIRED_TOKEN: ("ExpiredTokenException", 400, _EXPIRED),
    Kind.MISMATCH: ("InvalidSignatureException", 400, _MISMATCH),
    Kind.SKEWED: ("InvalidSignatureException", 400, ""),
    Kind.EXPIRED_URL: ("InvalidSignatureException", 400, ""),
    Kind.DENIED: ("AccessDeniedException", 400, ""),
    Kind.INVALID: ("ValidationException", 400, ""),
}
_REST_JSON = {kind: (code, 400 if kind is Kind.INVALID else 403, text) for kind, (code, _, text) in _JSON.items()}
_S3: dict[Kind, Words] = {
    Kind.MISSING: ("AccessDenied", 403, "Access Denied"),
    Kind.INCOMPLETE: ("AuthorizationHeaderMalformed", 400, ""),
    Kind.UNKNOWN_KEY: ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
    Kind.BAD_TOKEN: ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    Kind.EXPIRED_TOKEN: ("ExpiredToken", 400, "The provided token has expired."),
    Kind.MISMATCH: (
        "SignatureDoesNotMatch",
        403,
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    ),
    Kind.SKEWED: (
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
    ),
    Kind.EXPIRED_URL: ("AccessDenied", 403, "Request has expired"),
    Kind.DENIED: ("AccessDenied", 403, "Access Denied"),
    Kind.INVALID: ("InvalidRequest", 400, ""),
}
# Services with another error code for a denied call.
_DENIED_CODES = {"sns": "AuthorizationError"}


def answer(environ: Environ, body: bytes, refused: Refused) -> Response:
    """The refusal in the form of the called service."""
    service = requests.find_service(environ)
    form = _find_form(environ, body, service)
    words = {"ec2": _EC2, "s3": _S3, "json": _JSON, "cbor": _JSON, "rest-json": _REST_JSON}.get(form, _QUERY)
    code, status, message = words[refused.kind]
    if refused.kind is Kind.DENIED and form == "query":
        code = _DENIED_CODES.get(service, code)
    return _write_answer(environ, form, refused.code or code, status, refused.message or message, refused.details)


def _find_form(environ: Environ, body: bytes, service: str) -> str:
    """The form of response that the caller expects: ec2, s3, json, cbor, rest-json, or query (also for rest-xml)."""
    if service == "ec2":
        return "ec2"
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return "cbor"
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "json"
    if requests.find_action(environ, body):
        return "query"
    return "s3" if service in {"", "s3"} else _find_rest_form(service)


@functools.cache
def _find_rest_form(service: str) -> str:
    """The form of responses of a service whose requests name no action, from botocore's service model."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    try:
        metadata = Loader().load_service_model(service, "service-2")["metadata"]
    except UnknownServiceError:
        return "rest-json"
    return {"rest-xml": "query", "query": "query"}.get(metadata.get("protocol", ""), "rest-json")


def _write_answer(
    environ: Environ, form: str, code: str, status: int, message: str, details: dict[str, str]
) -> Response:
    request_id = secrets.token_hex(16)
    headers: tuple[tuple[str, str], ...] = (("x-amzn-RequestId", request_id),)
    if form in {"json", "rest-json"}:
        kind = "application/x-amz-json-1.1" if form == "json" else "application/json"
        content = {"message": message} if form == "rest-json" else {"__type": code, "message": message}
        return Response(
            status, (*headers, ("Content-Type", kind), ("x-amzn-ErrorType", code)), json.dumps(content).encode()
        )
    if form == "cbor":
        headers = (*headers, ("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor"))
        return Response(status, headers, _encode_cbor({"__type": code, "message": message}))
    elements = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    headers = (*headers, ("Content-Type", "text/xml" if form != "s3" else "application/xml"))
    if form == "s3":
        more = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in details.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{elements}{more}<RequestId>{request_id}</RequestId></Error>'
        return Response(status, headers, b"" if environ.get("REQUEST_METHOD") == "HEAD" else text.encode())
    if form == "ec2":
        text = f"<Response><Errors><Error>{elements}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{elements}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(status, headers, text.encode())


def _encode_cbor(texts: dict[str, str]) -> bytes:
    """A map of texts in CBOR (RFC 8949); the map and each text begin with a head."""

    def encode_head(major: int, length: int) -> bytes:
        if length < 24:
            return bytes([major << 5 | length])
        return bytes([major << 5 | 25]) + length.to_bytes(2, "big")

    def encode_text(value: str) -> bytes:
        encoded = value.encode()
        return encode_head(3, len(encoded)) + encoded

    return encode_head(5, len(texts)) + b"".join(
        encode_text(name) + encode_text(value) for name, value in texts.items()
    )
