"""One request with its sender, the table of routes, and plain answers."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..controller import Controller
from ..failures import ForbiddenAll, Refused
from ..model.security import Identity
from ..model.sessions import Session
from .exports import Exports
from .password_checks import Logins

LIMIT = 64 * 1024 * 1024  # bytes of a body
ANONYMOUS_LIMIT = 64 * 1024  # bytes of a body from an anonymous user; the login form has a few hundred
ANONYMOUS_SECONDS = 10.0  # an anonymous user must send a form within this time
# One of these permissions opens the pages of Manage Jenkins.
MANAGERS = ("Overall/Manage", "Overall/Administer")
Handler = Callable[["Call", Any, str], Awaitable[web.StreamResponse]]


@dataclass
class Call:
    """A request with its sender; `session` is None if the request has no cookie of a live session."""

    controller: Controller
    logins: Logins
    request: web.Request
    identity: Identity
    session: Session | None
    via: tuple[str, str] | None = None  # as `Target.via` of the resolver

    @property
    def base(self) -> str:
        """The root URL as the client sees it, also through a proxy; it ends in a slash."""
        scheme = self.request.headers.get("X-Forwarded-Proto", self.request.scheme).split(",")[0].strip()
        host = self.request.headers.get("X-Forwarded-Host", self.request.host).split(",")[0].strip()
        port = self.request.headers.get("X-Forwarded-Port", "").split(",")[0].strip()
        if port and ":" not in host and port != {"http": "80", "https": "443"}.get(scheme):
            host = f"{host}:{port}"
        return f"{scheme}://{host}/"

    @property
    def sender(self) -> str:
        """The address that the request came from, also through a proxy."""
        return self.request.headers.get("X-Forwarded-For", self.request.remote or "").split(",")[0].strip()

    @property
    def exports(self) -> Exports:
        """The objects of the remote API, as this caller may see them."""
        return Exports(self.controller, self.identity, self.base, self.via)

    def resolve(self, path: str) -> str:
        """A path that Jenkins makes from that of the request: slashes that were doubled there stay."""
        return f"/{path}" if self.request.raw_path.startswith("//") else path

    def require(self, permission: str) -> None:
        """Raise Forbidden unless the caller has the permission."""
        self.controller.home.authorization.require(self.identity, permission)

    def require_any(self, *permissions: str) -> None:
        """Raise ForbiddenAll unless the caller has one of the permissions."""
        if not any(self.controller.home.authorization.allows(self.identity, each) for each in permissions):
            raise ForbiddenAll(self.identity.name, permissions)

    async def read_form(self) -> dict[str, str]:
        """Read the values of the query and of the form; the query wins, as it comes first in a servlet's parameters."""
        values: dict[str, str] = {}
        if self.request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            for key, value in (await self._read_posted_form()).items():
                values[key] = (
                    value
                    if isinstance(value, str)
                    else value.file.read().decode()
                    if isinstance(value, web.FileField)
                    else ""
                )
        for key, value in self.request.query.items():
            values[key] = value
        return values

    async def _read_posted_form(self) -> Mapping[str, Any]:
        """Read the form of the body; raises Refused (408) if an anonymous user sends it too slowly."""
        try:
            async with asyncio.timeout(ANONYMOUS_SECONDS if self.identity.is_anonymous else None):
                return await self.request.post()
        except TimeoutError:
            raise Refused(408, "Request Timeout", is_bare=True) from None

    async def read_json_field(self) -> dict[str, Any]:
        """Read the form field `json`, which Jenkins' own forms have; empty if there is none, Refused (500) if it is no JSON."""
        text = (await self.read_form()).get("json", "")
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            value = _read_lenient(text)
        return value if isinstance(value, dict) else {}


def _read_lenient(text: str) -> Any:
    """Read an object with single quotes, which Jenkins' parser (json-lib) takes and some clients send."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as fault:
        raise Refused(500, f"net.sf.json.JSONException: {fault}") from fault


@dataclass(frozen=True)
class Route:
    """The handler of one path of one kind of object; with `takes_rest` it also serves every path below.

    `is_object` is a path that names an object, so that Jenkins redirects it to the path with a slash at its end.
    """

    handler: Handler
    methods: tuple[str, ...]
    takes_rest: bool = False
    is_object: bool = False


ROUTES: dict[tuple[str, str], list[Route]] = {}


def register_route(
    *paths: str, methods: tuple[str, ...] = ("GET",), takes_rest: bool = False, is_object: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler; each path is 'kind:rest', such as 'job:config.xml'. Its name is free: requests come by path."""

    def register(handler: Handler) -> Handler:
        for path in paths:
            kind, _, rest = path.partition(":")
            ROUTES.setdefault((kind, rest), []).append(Route(handler, methods, takes_rest, is_object))
        return handler

    return register


def answer_text(content: str = "", status: int = 200, kind: str = "text/plain") -> web.Response:
    """An answer with this text."""
    return web.Response(text=content, status=status, content_type=kind, charset="utf-8")


def redirect(location: str, status: int = 302) -> web.Response:
    """An answer that redirects to a path of this server, or to a URL."""
    return web.Response(status=status, headers={"Location": location})


def respond_xml(content: bytes) -> web.Response:
    """An answer with a document of Jenkins' own XML."""
    return web.Response(body=content, headers={"Content-Type": "application/xml"})
