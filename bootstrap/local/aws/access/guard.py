"""The guard of the local cloud: it refuses every request from outside that has no valid signature, or that no policy allows.

It checks in the same order as AWS: whether there is a signature, whether this cloud issued the key, whether the session token
belongs to the key and has not expired, whether the request was signed just now, and whether the signature is correct. It
reads a body only if the key is known. Then it checks the policies of the caller, except for the operator.

Keys, roles, policies and tags are in moto's own dictionaries. The guard reads them only while it holds the lock of moto:
another thread could otherwise change a dictionary while the guard reads it.
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
from bootstrap.local.aws.server.moto_lock import MotoLock
from bootstrap.local.aws.server.requests import Environ, Response

_LEEWAY_MINUTES = {"s3": 15, "sts": 15, "iam": 15}  # others allow five
_CHECK = "the check of a caller's permissions"
_SMALL = 1_000_000  # bytes; the largest body that is read without a valid signature, to find the form of the refusal


@dataclass(frozen=True)
class Caller:
    """Who signed a request, and with which key."""

    principal: Principal
    access_key: str

    @property
    def record(self) -> Record | None:
        """The caller as an operation of CloudFormation keeps it; None for the operator."""
        return None if self.principal.is_operator else asdict(self.principal)


class Guard:
    """Decides for each request whether it is carried out."""

    def __init__(self, identities: Identities, sts: Sts, authorizer: Authorizer, moto_lock: MotoLock) -> None:
        self._identities = identities
        self._sts = sts
        self._authorizer = authorizer
        self._moto_lock = moto_lock

    def admit(self, environ: Environ) -> Caller | Response:
        """The caller, if the request is to be carried out; otherwise the response: a refusal, or the guard's own answer."""
        try:
            caller = self.authenticate(environ)
            body = requests.read_body(environ)
            with self._moto_lock.hold(_CHECK):
                return self._authorize(caller, environ, body) or caller
        except Refused as refused:
            return answer(environ, _read_small_body(environ), refused)

    def _authorize(self, caller: Caller, environ: Environ, body: bytes) -> Response | None:
        """Check what the caller may do, or raise Refused; returns the answer to requests that the guard answers itself."""
        self._authorizer.check(caller.principal, environ, body)
        service = requests.find_service(environ)
        if service not in {"iam", "sts"}:
            return None
        action = requests.find_action(environ, body)
        if service == "iam":
            return simulation.answer(action, body, self._identities) if action in simulation.ACTIONS else None
        if action == "AssumeRole":
            trust.check(caller.principal, parameters.read_call(environ, body, caller.principal.account))
        return self._sts.answer_request(environ, body, caller.principal, caller.access_key)

    def refuse_cloudformation(self, actor: Actor, environ: Environ, body: bytes) -> Response | None:
        """The refusal of a call that CloudFormation makes in the name of a caller; None if it is to be carried out."""
        try:
            with self._moto_lock.hold(_CHECK):
                principal = self._find_principal(actor.caller)
                self._authorizer.check_through_cloudformation(principal, environ, body, actor)
        except Refused as refused:
            return answer(environ, body, refused)
        return None

    def _find_principal(self, record: Record) -> Principal:
        """The principal in the record of an operation: its caller, or the service role of the stack."""
        arn = str(record.get("role_arn", ""))
        if not arn:
            return Principal(**{**record, "session_policies": tuple(record["session_policies"])})
        role = issued_keys.find_role(arn)
        if role is None or not trust.trusts_service(role, "cloudformation.amazonaws.com", role.account_id):
            raise Refused(Kind.DENIED, f"Role {arn} is invalid or cannot be assumed")
        session = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/AWSCloudFormation"
        return Principal(ROLE, session, role.account_id, f"{role.id}:AWSCloudFormation", role.name, role.arn)

    def authenticate(self, environ: Environ) -> Caller:
        """The caller; raises Refused. Writes the signature into the Authorization header, also that of a presigned URL."""
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)  # moto would answer as whichever account it names
        try:
            claim = signature.read_claim(environ)
        except Refused as refused:
            if requests.find_action(environ, _read_small_body(environ)) in UNSIGNED:
                message = "No OpenIDConnect or SAML provider found in your account"
                raise Refused(Kind.INVALID, message, "InvalidIdentityToken") from refused
            raise
        environ["HTTP_AUTHORIZATION"] = claim.header
        with self._moto_lock.hold(_CHECK):
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


def _read_small_body(environ: Environ) -> bytes:
    """The body of a refused request, b'' if it is large; the form of the refusal depends on the body."""
    length: Any = environ.get("CONTENT_LENGTH") or "0"
    is_small = length.isdigit() and int(length) <= _SMALL and not environ.get("wsgi.input_terminated")
    return requests.read_body(environ) if is_small else b""
