"""Refuses requests with characters that a later response could not contain, as AWS does.

A service that answers in XML refuses parameters with characters that XML does not allow (most control characters, such as
ESC). A service that answers in JSON refuses tags with control characters other than line ends and tabs.
"""

from __future__ import annotations

import re
import urllib.parse

from bootstrap.local.aws.access.policies import parameters
from bootstrap.local.aws.access.refusals import Kind, Refused, answer
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ, Response

# The forms in which a body can contain them: encoded in a form, escaped in JSON, or plain. Most bodies have none of these.
_SUSPECT = re.compile(
    rb"%(?:0[0-8BbCcEeFf]|1[0-9A-Fa-f]|7[Ff]|[Cc]2%[89]|[Ee][Ff]%[Bb][Ff])"
    rb"|\\(?:u00[01789]|[bf])"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_IS_TAG = re.compile(r"(?i)(^|\.)tags?(specifications?|list)?(\.|$)")
_PATTERN = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"


def find_refusal(environ: Environ, body: bytes) -> Response | None:
    """The refusal of a request that has such a character; None for other requests."""
    service = requests.find_service(environ)
    tagging = environ.get("HTTP_X_AMZ_TAGGING", "")
    query = environ.get("QUERY_STRING", "")
    if service == "s3":
        return _find_tagging_refusal(environ, tagging)
    if not _SUSPECT.search(body) and not _SUSPECT.search(query.encode("latin-1", "replace")):
        return None
    try:
        call = parameters.read_call(environ, body, "")
    except Refused as refused:
        return answer(environ, body, refused)
    is_xml = not environ.get("HTTP_X_AMZ_TARGET") and bool(requests.find_action(environ, body))
    for name, values in call.parameters.items():
        for text in (name, *values):
            is_bad = (is_xml and _NOT_IN_XML.search(text)) or (_IS_TAG.search(name) and _CONTROL.search(text))
            if is_bad:
                return answer(environ, body, _make_refusal(service, name, _CONTROL.sub("?", text)[:128]))
    return None


def _make_refusal(service: str, name: str, shown: str) -> Refused:
    if service == "ec2":
        return Refused(Kind.INVALID, f"Value ({shown}) for parameter {name} is invalid. Invalid characters.")
    message = (
        f"1 validation error detected: Value '{shown}' at '{name}' failed to satisfy constraint: Member must satisfy "
    )
    return Refused(Kind.INVALID, f"{message}regular expression pattern: {_PATTERN}")


def _find_tagging_refusal(environ: Environ, tagging: str) -> Response | None:
    """Check tags of an object that are in a header; tags in a body are XML, which cannot contain such characters."""
    if not tagging or not _CONTROL.search(urllib.parse.unquote(tagging)):
        return None
    refused = Refused(Kind.INVALID, "The TagValue you have provided is invalid", "InvalidTag")
    return answer(environ, b"", refused)
