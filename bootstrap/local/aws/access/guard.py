"""The guard of the local cloud: every call from outside is signed with a key that this cloud issued, or it is refused.

The order is AWS's: is there a signature, is the key known, does its token belong to it and hold, was the request signed just
now, and is the signature the one that the key makes. A body is read only when the key is known.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass

from bootstrap.local.aws.access import signature
from bootstrap.local.aws.access.identities import Identities, Issued, Principal
from bootstrap.local.aws.access.refusals import Kind, Refused, answer
from bootstrap.local.aws.access.sts import UNSIGNED, Sts
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ, Response

_LEEWAY_MINUTES = {"s3": 15, "sts": 15, "iam": 15}  # others allow five
_SMALL = 1_000_000  # bytes of a body that is read though nobody known has signed it: the refusal is in the body's form


@dataclass(frozen=True)
class Caller:
    """Who signed a request, with which key."""

    principal: Principal
    access_key: str


class Guard:
    """Decides of each request whether it is answered; `door` journals the sessions that are given."""

    def __init__(self, identities: Identities, sts: Sts) -> None:
        self._identities = identities
        self._sts = sts

    def request(self, environ: Environ) -> Response | None:
        """The refusal of a request, or the guard's own answer to it; None for one that is to be carried out."""
        try:
            caller = self.authenticate(environ)
            body = requests.read_body(environ)
            if requests.service_of(environ) == "sts":
                return self._sts.request(environ, body, caller.principal, caller.access_key)
        except Refused as refused:
            return answer(environ, _small_body(environ), refused)
        return None

    def authenticate(self, environ: Environ) -> Caller:
        """Who calls; raises Refused. The signature stands in the header from then on, also that of a presigned URL."""
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # moto would answer as whichever account it names
        try:
            claim = signature.read(environ)
        except Refused as refused:
            if requests.action_of(environ, _small_body(environ)) in UNSIGNED:
                message = "No OpenIDConnect or SAML provider found in your account"
                raise Refused(Kind.INVALID, message, "InvalidIdentityToken") from refused
            raise
        environ["HTTP_AUTHORIZATION"] = claim.header
        issued = self._identities.find(claim.access_key)
        if issued is None:
            details = {"AWSAccessKeyId": claim.access_key}
            raise Refused(Kind.UNKNOWN_KEY, details=details)
        _check_token(issued, claim)
        signature.check_time(claim, time.time(), _LEEWAY_MINUTES.get(claim.service, 5))
        signature.verify(claim, issued.secret, environ, requests.read_body(environ))
        agent = environ.get("HTTP_USER_AGENT", "")
        environ["HTTP_USER_AGENT"] = agent.replace("region/", "region-")  # moto would take the region from it
        return Caller(issued.principal, claim.access_key)


def _check_token(issued: Issued, claim: signature.Claim) -> None:
    if not hmac.compare_digest(issued.token.encode(), claim.token.encode()):
        raise Refused(Kind.BAD_TOKEN, details={"Token-0": claim.token} if claim.token else {})
    if issued.expires is not None and time.time() >= issued.expires:
        raise Refused(Kind.EXPIRED_TOKEN)


def _small_body(environ: Environ) -> bytes:
    """The body of a request that is refused, where it is small: in which form the refusal is told depends on it."""
    length = environ.get("CONTENT_LENGTH") or "0"
    is_small = length.isdigit() and int(length) <= _SMALL and not environ.get("wsgi.input_terminated")
    return requests.read_body(environ) if is_small else b""
