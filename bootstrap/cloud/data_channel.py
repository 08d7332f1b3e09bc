"""Asks Session Manager whether it refuses the data channel of a session, because AWS' plugin does not report this.

The plugin opens a WebSocket to the session's URL and signs the request with the caller's credentials. If the service refuses
it, the plugin tries again several times, writes the refusal into its own log, which is off by default, and then waits for ever.
So this module sends the same handshake; if the channel opens, it sends nothing over it.
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
_REFUSALS = frozenset({401, 403})  # other errors can mean that the session has ended meanwhile
_LONGEST = 500  # characters of the response that are shown


def find_refusal(url: str, credentials: Any, region: str) -> str:
    """The status and text of a refused data channel at `url`; '' if it opens, or if the service does not answer."""
    address = "http" + url.removeprefix("ws")
    session = URLLib3Session(proxies=get_environ_proxies(address), timeout=_SECONDS, verify=_find_authorities())
    try:
        answer = session.send(_make_handshake(address, credentials, region).prepare())
        if answer.status_code not in _REFUSALS:
            return ""
        text = " ".join(answer.content.decode(errors="replace").split())[:_LONGEST]
    except (HTTPClientError, EndpointConnectionError):
        return ""  # the plugin uses the same network, and another attempt can succeed
    finally:
        session.close()
    return f"HTTP {answer.status_code}{f': {text}' if text else ''}"


def _make_handshake(address: str, credentials: Any, region: str) -> AWSRequest:
    """The request that the plugin sends: signed, unless the URL is signed; the signature excludes the WebSocket's headers."""
    request = AWSRequest(method="GET", url=address)
    if not _PRESIGNED.search(address):
        SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, region).add_auth(request)
    request.headers["Connection"] = "Upgrade"
    request.headers["Upgrade"] = "websocket"
    request.headers["Sec-WebSocket-Version"] = "13"
    request.headers["Sec-WebSocket-Key"] = base64.b64encode(os.urandom(16)).decode()
    return request


def _find_authorities() -> str | bool:
    return os.environ.get("AWS_CA_BUNDLE") or True


def read_host(url: str) -> str:
    """The host of a session's URL."""
    return urllib.parse.urlsplit(url).hostname or url
