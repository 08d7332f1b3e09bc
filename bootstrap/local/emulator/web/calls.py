"""One request: who asks, what for, and the answers that Jenkins would give."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..controller import Controller
from ..failures import Refused
from ..model.security import Identity
from ..model.sessions import Session
from .exports import Exports
from .password_checks import Logins

STRANGERS_SECONDS = 10.0  # in which the form of whoever has not signed in must have come
Handler = Callable[["Call", Any, str], Awaitable[web.StreamResponse]]


@dataclass
class Call:
    """A request with its sender."""

    controller: Controller
    logins: Logins
    request: web.Request
    identity: Identity
    session: Session | None

    @property
    def base(self) -> str:
        """The root URL as the client sees it, through a proxy as well."""
        scheme = self.request.headers.get("X-Forwarded-Proto", self.request.scheme).split(",")[0].strip()
        host = self.request.headers.get("X-Forwarded-Host", self.request.host).split(",")[0].strip()
        port = self.request.headers.get("X-Forwarded-Port", "").split(",")[0].strip()
        if port and ":" not in host and port != {"http": "80", "https": "443"}.get(scheme):
            host = f"{host}:{port}"
        return f"{scheme}://{host}/"

    @property
    def sender(self) -> str:
        """The address that the request came from, through a proxy as well."""
        return self.request.headers.get("X-Forwarded-For", self.request.remote or "").split(",")[0].strip()

    @property
    def exports(self) -> Exports:
        """What this caller sees."""
        return Exports(self.controller, self.identity, self.base)

    def require(self, permission: str) -> None:
        """Forbidden unless the caller holds the permission."""
        self.controller.home.authorization.require(self.identity, permission)

    async def form(self) -> dict[str, str]:
        """Query and form values together; the query wins, as it comes first in a servlet's parameters."""
        values: dict[str, str] = {}
        if self.request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            for key, value in (await self._posted()).items():
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

    async def _posted(self) -> Mapping[str, Any]:
        """The form that was sent; who has not signed in must send it soon."""
        try:
            async with asyncio.timeout(STRANGERS_SECONDS if self.identity.is_anonymous else None):
                return await self.request.post()
        except TimeoutError:
            raise Refused(408, "Request Timeout", is_bare=True) from None

    async def structured(self) -> dict[str, Any]:
        """The `json` field that Jenkins' own forms carry; empty when there is none."""
        text = (await self.form()).get("json", "")
        try:
            value = json.loads(text) if text else {}
        except ValueError as fault:
            raise Refused(400, "the form's json field is malformed") from fault
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Route:
    """How one path of one kind of object is served; `takes_rest` serves everything below it as well."""

    handler: Handler
    methods: tuple[str, ...]
    takes_rest: bool = False


ROUTES: dict[tuple[str, str], Route] = {}


def route(*paths: str, methods: tuple[str, ...] = ("GET",), takes_rest: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler; each path is 'kind:rest', such as 'job:config.xml'."""

    def register(handler: Handler) -> Handler:
        for path in paths:
            kind, _, rest = path.partition(":")
            ROUTES[kind, rest] = Route(handler, methods, takes_rest)
        return handler

    return register


def text(content: str = "", status: int = 200, kind: str = "text/plain") -> web.Response:
    """A plain answer."""
    return web.Response(text=content, status=status, content_type=kind, charset="utf-8")


def redirect(location: str, status: int = 302) -> web.Response:
    """A redirect."""
    return web.Response(status=status, headers={"Location": location})
