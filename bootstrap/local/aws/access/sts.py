"""Answers STS' requests about the caller (GetCallerIdentity), and makes sessions for its access key (GetSessionToken).

moto answers AssumeRole; `trust` decides who may call it. Sessions for identities of other providers (SAML, OpenID Connect) are
refused, because this cloud has no such provider.
"""

from __future__ import annotations

import time
import urllib.parse
import uuid
from xml.sax.saxutils import escape

from bootstrap.local.aws.access.identities import OPERATOR, USER, Identities, Principal
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.requests import Environ, Response

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
UNSIGNED = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_EVENT = "session"
_SHORTEST, _LONGEST, _DEFAULT = 900, 129_600, 43_200


class Sts:
    """Answers GetCallerIdentity and GetSessionToken."""

    def __init__(self, door: Door, identities: Identities) -> None:
        self._door = door
        door.event_handlers[_EVENT] = identities.keep_session

        self._identities = identities

    def answer_request(self, environ: Environ, body: bytes, principal: Principal, access_key: str) -> Response | None:
        """The answer to one request to STS; None if moto answers it. Raises Refused."""
        action = requests.find_action(environ, body)
        if action == "GetCallerIdentity":
            elements = {"Arn": principal.arn, "UserId": principal.user_id, "Account": principal.account}
            return _write_answer(
                action, "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
            )
        if action == "GetSessionToken":
            return self._give_session(action, body, principal, access_key)
        if action == "GetFederationToken":
            raise Refused(Kind.INVALID, "The local cloud has no GetFederationToken", "InvalidAction")
        return None

    def _give_session(self, action: str, body: bytes, principal: Principal, access_key: str) -> Response:
        if principal.kind not in {OPERATOR, USER} or access_key.startswith("ASIA"):
            raise Refused(Kind.DENIED, "Cannot call GetSessionToken with session credentials")
        if "SerialNumber" in urllib.parse.parse_qs(body.decode(errors="replace")):
            message = "The local cloud takes a second factor with AssumeRole alone, not with GetSessionToken"
            raise Refused(Kind.INVALID, message)
        seconds_text = urllib.parse.parse_qs(body.decode(errors="replace")).get("DurationSeconds", [str(_DEFAULT)])[0]
        if not seconds_text.isdigit() or not _SHORTEST <= int(seconds_text) <= _LONGEST:
            message = f"Value '{seconds_text[:32]}' at 'durationSeconds' failed to satisfy constraint: Member must be between "
            raise Refused(Kind.INVALID, f"1 validation error detected: {message}{_SHORTEST} and {_LONGEST}")
        session = self._identities.make_session(access_key, int(seconds_text))
        self._door.record_event(_EVENT, **session)
        expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session["expires"]))
        credentials = {
            "AccessKeyId": session["access_key"],
            "SecretAccessKey": session["secret"],
            "SessionToken": session["token"],
        }
        inner = "".join(
            f"<{name}>{value}</{name}>" for name, value in {**credentials, "Expiration": expiration}.items()
        )
        return _write_answer(action, f"<Credentials>{inner}</Credentials>")


def _write_answer(action: str, inner: str) -> Response:
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    text = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>{metadata}</{action}Response>'
    )
    return Response(200, (("Content-Type", "text/xml"),), text.encode())
