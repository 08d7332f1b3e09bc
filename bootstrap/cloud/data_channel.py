"""Asks Session Manager's service why a session stays silent: AWS' plugin does not tell when its data channel is refused.

The plugin opens a WebSocket to the session's URL, signed with the caller's credentials. If the service refuses that, the plugin
tries again several times, writes the refusal into its own log, which is off by default, and goes on waiting for ever. So the
same handshake is made here; nothing is sent over a channel that opens.
"""

from __future__ import annotations

import base64
import os
import re
import urllib.parse
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointConnectionError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

_SERVICE = "ssmmessages"
_SECONDS = 10.0
_PRESIGNED = re.compile(r"[?&]X-Amz-Signature=", re.IGNORECASE)
_REFUSALS = frozenset({401, 403})  # others can be those of a session that has ended meanwhile
_LONGEST = 500  # characters of the service's answer


def find_refusal(url: str, credentials: Any, region: str) -> str:
    """Status and text with which the service refuses the data channel at `url`; '' if it opens, or does not answer at all."""
    address = "http" + url.removeprefix("ws")
    session = URLLib3Session(proxies=get_environ_proxies(address), timeout=_SECONDS, verify=_authorities())
    try:
        answer = session.send(_handshake(address, credentials, region).prepare())
        if answer.status_code not in _REFUSALS:
            return ""
        text = " ".join(answer.content.decode(errors="replace").split())[:_LONGEST]
    except (HTTPClientError, EndpointConnectionError):
        return ""  # the plugin's network is the same, and another attempt may succeed
    finally:
        session.close()
    return f"HTTP {answer.status_code}{f': {text}' if text else ''}"


def _handshake(address: str, credentials: Any, region: str) -> AWSRequest:
    """The request as the plugin makes it: signed, unless the URL is; the headers of the WebSocket are not in the signature."""
    request = AWSRequest(method="GET", url=address)
    if not _PRESIGNED.search(address):
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, region).add_auth(request)
    request.headers["Connection"] = "Upgrade"
    request.headers["Upgrade"] = "websocket"
    request.headers["Sec-WebSocket-Version"] = "13"
    request.headers["Sec-WebSocket-Key"] = base64.b64encode(os.urandom(16)).decode()
    return request


def _authorities() -> str | bool:
    return os.environ.get("AWS_CA_BUNDLE") or True


def host(url: str) -> str:
    """The host of a session's URL."""
    return urllib.parse.urlsplit(url).hostname or url
