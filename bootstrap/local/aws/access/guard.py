"""The guard of the local cloud: every call from outside is signed with a key that this cloud issued, or it is refused.

The order is AWS's: is there a signature, is the key known, does its token belong to it and hold, was the request signed just
now, and is the signature the one that the key makes. A body is read only when the key is known. Then the caller's policies
are asked, whose is no operator's.
"""

from __future__ import annotations

import functools
import hmac
import time
from dataclasses import asdict, dataclass
from typing import Any

from bootstrap.local.aws.access import identities as issued_keys
from bootstrap.local.aws.access import signature, simulation, trust
from bootstrap.local.aws.access.authorization import Authorizer
from bootstrap.local.aws.access.identities import ROLE, Identities, Issued, Principal
from bootstrap.local.aws.access.policies import parameters
from bootstrap.local.aws.access.refusals import Kind, Refused, answer
from bootstrap.local.aws.access.sts import UNSIGNED, Sts
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.call_identity import Actor, Record
from bootstrap.local.aws.server.requests import Environ, Response

_LEEWAY_MINUTES = {"s3": 15, "sts": 15, "iam": 15}  # others allow five
_SMALL = 1_000_000  # bytes of a body that is read though nobody known has signed it: the refusal is in the body's form


@dataclass(frozen=True)
class Caller:
    """Who signed a request, with which key."""

    principal: Principal
    access_key: str

    @property
    def record(self) -> Record | None:
        """The caller as an operation of CloudFormation keeps it; None for the operator."""
        return None if self.principal.is_operator else asdict(self.principal)


class Guard:
    """Decides of each request whether it is answered."""

    def __init__(self, identities: Identities, sts: Sts, authorizer: Authorizer) -> None:
        self._identities = identities
        self._sts = sts
        self._authorizer = authorizer

    def admit(self, environ: Environ) -> Caller | Response:
        """Who calls, for a request that is to be carried out; or its refusal, or the guard's own answer to it."""
        try:
            caller = self.authenticate(environ)
            body = requests.read_body(environ)
            return self._answered(caller, environ, body) or caller
        except Refused as refused:
            return answer(environ, _small_body(environ), refused)

    def _answered(self, caller: Caller, environ: Environ, body: bytes) -> Response | None:
        """The answer to what the guard knows best. Raises Refused for what the caller may not do."""
        self._authorizer.check(caller.principal, environ, body)
        service = requests.find_service(environ)
        if service not in {"iam", "sts"}:
            return None
        action = requests.find_action(environ, body)
        if service == "iam":
            return simulation.answer(action, body, self._identities) if action in simulation.ACTIONS else None
        if action == "AssumeRole":
            trust.check(caller.principal, parameters.read(environ, body, caller.principal.account))
        return self._sts.request(environ, body, caller.principal, caller.access_key)

    def refuse_cloudformation(self, actor: Actor, environ: Environ, body: bytes) -> Response | None:
        """The refusal of a call that CloudFormation makes in somebody's name; None for one that is to be carried out."""
        try:
            principal = self._principal(actor.caller)
            self._authorizer.check_through_cloudformation(principal, environ, body, actor)
        except Refused as refused:
            return answer(environ, body, refused)
        return None

    def _principal(self, record: Record) -> Principal:
        """Whom an operation's record names: its caller, or the service role of the stack."""
        arn = str(record.get("role_arn", ""))
        if not arn:
            return Principal(**{**record, "session_policies": tuple(record["session_policies"])})
        role = issued_keys.find_role(arn)
        if role is None or not trust.lets_service(role, "cloudformation.amazonaws.com", role.account_id):
            raise Refused(Kind.DENIED, f"Role {arn} is invalid or cannot be assumed")
        session = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/AWSCloudFormation"
        return Principal(ROLE, session, role.account_id, f"{role.id}:AWSCloudFormation", role.name, role.arn)

    def authenticate(self, environ: Environ) -> Caller:
        """Who calls; raises Refused. The signature stands in the header from then on, also that of a presigned URL."""
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # moto would answer as whichever account it names
        try:
            claim = signature.read(environ)
        except Refused as refused:
            if requests.find_action(environ, _small_body(environ)) in UNSIGNED:
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
        signature.verify(claim, issued.secret, environ, functools.partial(requests.read_body, environ))
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
    length: Any = environ.get("CONTENT_LENGTH") or "0"
    is_small = length.isdigit() and int(length) <= _SMALL and not environ.get("wsgi.input_terminated")
    return requests.read_body(environ) if is_small else b""
