"""Checks Signature Version 4: in the header, in the query (presigned URLs), and in bodies for S3 that are sent in chunks.

botocore's own signer computes the expected signature from the received request. As on AWS, the host must be signed, and for S3
also every header whose name begins with x-amz-.
"""

from __future__ import annotations

import base64
import calendar
import email.utils
import functools
import hashlib
import hmac
import re
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.access import chunks
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server.requests import Environ

ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST_URL = 604_800  # seconds for which a presigned URL may be valid
_STAMP = "%Y%m%dT%H%M%SZ"
_LITERAL = frozenset({"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
_STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_STREAMED = (_STREAMING, f"{_STREAMING}-TRAILER")
_HEX = re.compile(r"[0-9a-f]{64}")
_S3 = frozenset({"s3", "s3-outposts", "s3-object-lambda", "s3express"})


@dataclass(frozen=True)
class Claim:
    """What a request says about its signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str
    stamp: str  # as in X-Amz-Date
    token: str
    expires: int | None  # of a presigned URL, in seconds

    @property
    def scope(self) -> str:
        """The credential scope without the key."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def moment(self) -> float:
        """When the request was signed, in seconds since the epoch."""
        return calendar.timegm(time.strptime(self.stamp, _STAMP))

    @property
    def header(self) -> str:
        """The Authorization header with the same content, in the form that AWS' clients write."""
        credential = f"Credential={self.access_key}/{self.scope}"
        return f"{ALGORITHM} {credential}, SignedHeaders={';'.join(self.signed)}, Signature={self.signature}"


def read_claim(environ: Environ) -> Claim:
    """Read what the request says about its signature; raise Refused if the signature is missing or incomplete."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    query = _parse_query(environ)
    if "X-Amz-Algorithm" in query or "X-Amz-Signature" in query:
        if authorization:
            message = (
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            )
            raise Refused(Kind.INVALID, message + "parameter or the Authorization header should be specified")
        return _read_query_claim(query)
    if not authorization:
        raise Refused(Kind.MISSING)
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        message = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
        raise Refused(Kind.INCOMPLETE, message)
    return _read_header_claim(environ, authorization, rest)


def _read_header_claim(environ: Environ, authorization: str, rest: str) -> Claim:
    parts = dict(part.partition("=")[::2] for part in re.split(r"[,\s]+", rest.strip()) if part)
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    stamp = environ.get("HTTP_X_AMZ_DATE", "") or _parse_stamp(environ.get("HTTP_DATE", ""))
    if not stamp:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        digest = base64.b64encode(hashlib.sha256(authorization.encode()).digest()).decode()
        seen = f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
        raise Refused(Kind.INCOMPLETE, " ".join([*missing, seen]))
    token = environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
    return _make_claim(parts["Credential"], parts["SignedHeaders"], parts["Signature"], stamp, token, None)


def _read_query_claim(query: dict[str, str]) -> Claim:
    names = (
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
        "X-Amz-Expires",
    )
    needed = names[:-1]  # only S3 demands the last one
    missing = [f"AWS query-string parameters must include '{name}'." for name in needed if not query.get(name)]
    if missing or query["X-Amz-Algorithm"] != ALGORITHM:
        raise Refused(Kind.INCOMPLETE, " ".join(missing) or f"X-Amz-Algorithm only supports {ALGORITHM}")
    credential, signature, stamp, signed = (query[name] for name in names[1:5])
    expires = query.get("X-Amz-Expires", "900")
    if not expires.isdigit() or int(expires) > LONGEST_URL:
        raise Refused(Kind.INCOMPLETE, "X-Amz-Expires must be less than a week (in seconds) and not negative")
    return _make_claim(credential, signed, signature, stamp, query.get("X-Amz-Security-Token", ""), int(expires))


def _make_claim(credential: str, signed: str, signature: str, stamp: str, token: str, expires: int | None) -> Claim:
    parts = credential.split("/")
    if len(parts) < 5 or parts[-1] != "aws4_request":
        message = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
        raise Refused(Kind.INCOMPLETE, f"{message}, got '{credential[:256]}'")
    access_key, (date, region, service, _) = "/".join(parts[:-4]), parts[-4:]
    try:
        time.strptime(stamp, _STAMP)
    except ValueError:
        message = (
            f"Date must be in ISO-8601 'basic format'. Got '{stamp[:64]}'. See http://en.wikipedia.org/wiki/ISO_8601"
        )
        raise Refused(Kind.INCOMPLETE, message) from None
    if stamp[:8] != date:
        message = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date[:16]}' != "
        raise Refused(Kind.MISMATCH, f"{message}'{stamp[:8]}', from '{stamp}'.")
    if not re.fullmatch(r"[a-z0-9-]{1,64}", service) or not re.fullmatch(r"[a-z0-9-]{1,64}", region):
        raise Refused(Kind.MISMATCH, "Credential should be scoped to a valid region and to the correct service.")
    names = tuple(name for name in signed.lower().split(";") if name)
    if "host" not in names:
        message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header."
        raise Refused(Kind.MISMATCH, message)
    return Claim(access_key, date, region, service, names, signature, stamp, token, expires)


def check_time(claim: Claim, now: float, leeway_minutes: int) -> None:
    """Raise Refused if the request was signed too long ago, or if its time is in the future."""
    to_stamp = functools.partial(time.strftime, _STAMP)
    leeway = 60 * leeway_minutes
    if claim.expires is not None:
        if now > claim.moment + claim.expires:
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claim.moment + claim.expires))
            details = {"X-Amz-Expires": str(claim.expires), "Expires": until, "ServerTime": _format_iso(now)}
            message = "" if claim.service in _S3 else f"Signature expired: {claim.stamp}"
            raise Refused(Kind.EXPIRED_URL, message, details=details)
    elif claim.moment < now - leeway:
        ends = f"{to_stamp(time.gmtime(now - leeway))} ({to_stamp(time.gmtime(now))} - {leeway_minutes} min.)"
        raise _refuse_skew(claim, now, leeway, f"Signature expired: {claim.stamp} is now earlier than {ends}")
    if claim.moment > now + leeway:
        begins = f"{to_stamp(time.gmtime(now + leeway))} ({to_stamp(time.gmtime(now))} + {leeway_minutes} min.)"
        raise _refuse_skew(claim, now, leeway, f"Signature not yet current: {claim.stamp} is still later than {begins}")


def _refuse_skew(claim: Claim, now: float, leeway: int, message: str) -> Refused:
    if claim.service not in _S3 | {"ec2"}:
        return Refused(Kind.SKEWED, message)
    allowed = str(leeway * 1000)
    details = {"RequestTime": claim.stamp, "ServerTime": _format_iso(now), "MaxAllowedSkewMilliseconds": allowed}
    return Refused(Kind.SKEWED, details=details)


def verify(claim: Claim, secret: str, environ: Environ, read_body: Callable[[], bytes]) -> None:
    """Raise Refused if the signature of the request is not the one that `secret` makes.

    The signature of a body for S3, which can be large, includes only a header with its hash; so it is read last.
    """
    is_s3 = claim.service in _S3
    if is_s3:
        _check_signed_headers(claim, environ)
    payload = _read_payload_hash(claim, environ) if is_s3 else hashlib.sha256(read_body()).hexdigest()
    signer = _make_signers()[is_s3](_make_credentials(claim.access_key, secret), claim.service, claim.region)
    request = _make_signed_request(claim, environ, payload, is_s3=is_s3)
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    expected = str(signer.signature(to_sign, request))
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        details = {"AWSAccessKeyId": claim.access_key, "StringToSign": to_sign, "SignatureProvided": claim.signature}
        raise Refused(Kind.MISMATCH, details={**details, "CanonicalRequest": canonical})
    if is_s3:
        _check_body(claim, secret, environ, payload, read_body())


def _check_body(claim: Claim, secret: str, environ: Environ, payload: str, body: bytes) -> None:
    """Raise Refused if a body for S3 differs from its signed hash."""
    if _HEX.fullmatch(payload) and payload != (computed := hashlib.sha256(body).hexdigest()):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        details = {"ClientComputedContentSHA256": payload, "S3ComputedContentSHA256": computed}
        raise Refused(Kind.INVALID, message, "XAmzContentSHA256Mismatch", details)
    if payload.startswith(_STREAMING):
        decoded = environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH", "")
        chain = chunks.Chain(secret, claim.scope, claim.stamp, claim.signature)
        chunks.verify(chain, body, decoded, has_trailer=payload.endswith("-TRAILER"))


def _check_signed_headers(claim: Claim, environ: Environ) -> None:
    sent = {name.removeprefix("HTTP_").replace("_", "-").lower() for name in environ if name.startswith("HTTP_X_AMZ_")}
    unsigned = sorted(sent - {name.replace("_", "-") for name in claim.signed})
    if unsigned:
        message = "There were headers present in the request which were not signed"
        raise Refused(Kind.DENIED, message, details={"HeadersNotSigned": ", ".join(unsigned)})


def _read_payload_hash(claim: Claim, environ: Environ) -> str:
    """The value that represents a body for S3 in the signature, as the request has it."""
    payload_hash = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
    if not payload_hash and claim.expires is not None:
        payload_hash = _parse_query(environ).get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    if not payload_hash:
        raise Refused(Kind.INVALID, "Missing required header for this request: x-amz-content-sha256")
    if payload_hash not in {*_LITERAL, *_STREAMED} and not _HEX.fullmatch(payload_hash):
        known = "UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, " + ", ".join(_STREAMED)
        raise Refused(Kind.INVALID, f"x-amz-content-sha256 must be {known} or a valid sha256 value.", "InvalidArgument")
    return str(payload_hash)


def _make_signed_request(claim: Claim, environ: Environ, payload: str, *, is_s3: bool) -> Any:
    """The request in the form that botocore's signer needs, with the signed headers and no others."""
    from botocore.awsrequest import AWSRequest

    raw_path, _, raw_query = _read_target(environ).partition("?")
    path = urllib.parse.quote(urllib.parse.unquote_to_bytes(raw_path), safe="/~") if is_s3 else raw_path
    pairs = (pair.partition("=") for pair in raw_query.split("&") if pair)
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, _, value in pairs if name != "X-Amz-Signature")
    request = AWSRequest(method=environ.get("REQUEST_METHOD", "GET"), url=f"http://any{path or '/'}?{query}")
    for name in claim.signed:
        request.headers[name] = _read_header(environ, name)
    request.context.update({"timestamp": claim.stamp, "payload": payload})
    return request


def _read_header(environ: Environ, name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}", ""))


def _encode(text: str) -> str:
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(text.replace("+", " ")), safe="-_.~")


def _read_target(environ: Environ) -> str:
    """Path and query as they were received, also if the request line has a whole URL."""
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    return re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?]*", "", raw) or "/"


def _parse_query(environ: Environ) -> dict[str, str]:
    if "X-Amz-" not in environ.get("QUERY_STRING", ""):
        return {}
    return dict(urllib.parse.parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))


@functools.cache
def _make_signers() -> tuple[type, type]:
    from botocore.auth import S3SigV4Auth, SigV4Auth

    class Checking:
        """Signs exactly the headers that the caller signed, and the payload hash that the request has."""

        def headers_to_sign(self, request: Any) -> Any:
            return request.headers

        def canonical_request(self, request: Any) -> str:
            whole: str = super().canonical_request(request)  # type: ignore[misc]
            return f"{whole.rpartition(chr(10))[0]}\n{request.context['payload']}"

        def payload(self, request: Any) -> str:
            return str(request.context["payload"])

    return type("Any", (Checking, SigV4Auth), {}), type("S3", (Checking, S3SigV4Auth), {})


def _make_credentials(access_key: str, secret: str) -> Any:
    from botocore.credentials import Credentials

    return Credentials(access_key, secret)


def _parse_stamp(text: str) -> str:
    parsed = email.utils.parsedate_tz(text) if text else None
    if parsed is None:
        return text if re.fullmatch(r"\d{8}T\d{6}Z", text) else ""
    return time.strftime(_STAMP, time.gmtime(email.utils.mktime_tz(parsed)))


def _format_iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
