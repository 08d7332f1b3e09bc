"""Characters that no answer can carry are refused where they come in, as AWS refuses them: else an answer cannot be read.

A service that answers in XML takes no parameter with a character that XML has no form for (most control characters, ESC among
them). A service that answers in JSON takes no tag with a control character (ends of lines and tabs apart).
"""

from __future__ import annotations

import re
import urllib.parse

from bootstrap.local.aws.access.policies import parameters
from bootstrap.local.aws.access.refusals import Kind, Refused, answer
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Environ, Response

# As they may stand in a body: encoded in a form, escaped in JSON, or plain. Most bodies have none of these.
_SUSPECT = re.compile(
    rb"%(?:0[0-8BbCcEeFf]|1[0-9A-Fa-f]|7[Ff]|[Cc]2%[89]|[Ee][Ff]%[Bb][Ff])"
    rb"|\\(?:u00[01789]|[bf])"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]"
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_IS_TAG = re.compile(r"(?i)(^|\.)tags?(specifications?|list)?(\.|$)")
_PATTERN = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"


def refusal(environ: Environ, body: bytes) -> Response | None:
    """The refusal of a request that has such a character; None for all others."""
    service = requests.find_service(environ)
    tagging = environ.get("HTTP_X_AMZ_TAGGING", "")
    query = environ.get("QUERY_STRING", "")
    if service == "s3":
        return _of_object(environ, tagging)
    if not _SUSPECT.search(body) and not _SUSPECT.search(query.encode("latin-1", "replace")):
        return None
    try:
        call = parameters.read(environ, body, "")
    except Refused as refused:
        return answer(environ, body, refused)
    is_xml = not environ.get("HTTP_X_AMZ_TARGET") and bool(requests.find_action(environ, body))
    for name, values in call.given.items():
        for text in (name, *values):
            is_bad = (is_xml and _NOT_IN_XML.search(text)) or (_IS_TAG.search(name) and _CONTROL.search(text))
            if is_bad:
                return answer(environ, body, _refused(service, name, _CONTROL.sub("?", text)[:128]))
    return None


def _refused(service: str, name: str, shown: str) -> Refused:
    if service == "ec2":
        return Refused(Kind.INVALID, f"Value ({shown}) for parameter {name} is invalid. Invalid characters.")
    message = (
        f"1 validation error detected: Value '{shown}' at '{name}' failed to satisfy constraint: Member must satisfy "
    )
    return Refused(Kind.INVALID, f"{message}regular expression pattern: {_PATTERN}")


def _of_object(environ: Environ, tagging: str) -> Response | None:
    """Tags of an object that come in a header; those in a body are XML, in which such characters cannot be."""
    if not tagging or not _CONTROL.search(urllib.parse.unquote(tagging)):
        return None
    refused = Refused(Kind.INVALID, "The TagValue you have provided is invalid", "InvalidTag")
    return answer(environ, b"", refused)
