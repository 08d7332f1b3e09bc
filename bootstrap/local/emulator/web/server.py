"""The HTTP front: who asks, may they, which object, which answer; and how every refusal looks."""

from __future__ import annotations

import base64
import binascii
import html
import json
import secrets
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web

from ..controller import Controller
from ..failures import Forbidden, Refused
from ..model.security import Identity
from ..model.sessions import Session
from . import (  # noqa: F401 (they register)
    api,
    journal,
    routes_agents,
    routes_builds,
    routes_casc,
    routes_inputs,
    routes_items,
    routes_metrics,
    routes_root,
    routes_users,
    routes_views,
)
from .calls import ROUTES, Call, Route
from .exports import Exports
from .pages import bare, missing, notice, oops
from .password_checks import Logins
from .resolver import Target, resolve

# Jenkins.ALWAYS_READABLE_PATHS and the unprotected root actions that are served here.
OPEN = {
    "login",
    "loginError",
    "logout",
    "whoAmI",
    "health",
    "j_spring_security_check",
    "reload-configuration-as-code",
    "robots.txt",
    "jnlpJars",
    "wsagents",
    "favicon.ico",
}
CRUMB = "Jenkins-Crumb"
POLICY = (
    "base-uri 'none'; default-src 'self'; form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; "
    "script-src 'report-sample' 'self'; style-src 'report-sample' 'self' 'unsafe-inline';"
)
LIMIT = 64 * 1024 * 1024
STRANGERS_LIMIT = 64 * 1024  # bytes of a body from whoever has not signed in; the sign-in form has a few hundred


class BadCredentials(Exception):
    """A Basic header that is wrong: the only case of 401."""


def make_application(controller: Controller) -> web.Application:
    """The application; every path goes through one handler, since Jenkins' paths are objects, not patterns."""
    application = web.Application(client_max_size=LIMIT)
    logins = Logins(controller.home.users)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await Front(controller, logins, request).answer()

    application.router.add_route("*", "/{path:.*}", handle)
    return application


class Front:
    """One request on its way to a handler."""

    def __init__(self, controller: Controller, logins: Logins, request: web.Request) -> None:
        self._controller, self._request = controller, request
        self._session: Session | None = controller.sessions.find(request.cookies.get(controller.sessions.cookie))
        self._call = Call(controller, logins, request, Identity(), self._session)
        self._is_bare = False
        # raw_path keeps '%2F' apart from '/'.
        path = request.raw_path.split("?", 1)[0]
        self._segments = [unquote(part) for part in path.split("/") if part]

    async def answer(self) -> web.StreamResponse:
        """The answer, whatever happens."""
        try:
            self._call.identity = await self._identify()
            self._limit_body()
            self._controller.audit.request(
                self._call.identity, self._call.sender, self._request.raw_path, self._request.query.get("name")
            )
            await self._check_crumb()
            if (self._segments[:1] or [""])[0] not in {*OPEN, routes_metrics.name(self._controller)}:
                self._call.require("Overall/Read")
            response = await self._dispatch()
        except BadCredentials:
            response = self._bare(401, "Unauthorized")
            response.headers["WWW-Authenticate"] = 'Basic realm="Jenkins", charset="UTF-8"'
        except Forbidden as refusal:
            response = self._forbidden(refusal)
        except Refused as refusal:
            response = self._refusal(refusal)
            if refusal.is_failure:
                response.headers["X-Error"] = (
                    quote(refusal.message, safe=" -_.,:;/()‘’“”'\"?!*@#$^&|<>[]")
                    .encode("latin-1", "replace")
                    .decode("latin-1")
                )
        except web.HTTPException as refusal:
            response = self._page(refusal.status, refusal.reason)
        except Exception as fault:
            page = oops(self._controller, journal.uncaught(fault))
            response = web.Response(text=page, status=500, content_type="text/html", charset="utf-8")
        self._advertise(response)
        return response

    async def _identify(self) -> Identity:
        header = self._request.headers.get("Authorization", "")
        if header.lower().startswith("basic "):
            return await self._basic(header[6:])
        return Identity(self._session.user) if self._session else Identity()

    async def _basic(self, encoded: str) -> Identity:
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as fault:
            raise BadCredentials from fault
        user = self._controller.home.users.find(name)
        if user is not None and self._controller.home.users.is_token(user, password):
            return Identity(user.identifier, by_token=True)
        user_id = await self._call.logins.check(name, password, self._call.sender)
        if user_id is None:
            raise BadCredentials
        return Identity(user_id)

    def _limit_body(self) -> None:
        """Of whoever has not signed in little is read, and not for long."""
        if not self._call.identity.is_anonymous or self._request.method not in self._request.POST_METHODS:
            return  # of other methods no body is read
        if (self._request.content_length or 0) > STRANGERS_LIMIT:
            raise web.HTTPRequestEntityTooLarge(STRANGERS_LIMIT, self._request.content_length or 0)
        self._request = self._call.request = self._request.clone(client_max_size=STRANGERS_LIMIT)

    async def _check_crumb(self) -> None:
        # The login filter comes before the crumb filter, and the reload endpoint has a token of its own.
        if self._request.method != "POST" or self._call.identity.by_token:
            return
        if (self._segments[:1] or [""])[0] in {"j_spring_security_check", "reload-configuration-as-code"}:
            return
        crumb = self._request.headers.get(CRUMB) or (await self._call.form()).get(CRUMB, "")
        if not self._controller.sessions.is_crumb(crumb, self._call.identity.name, self._session):
            raise Refused(403, "No valid crumb was included in the request", is_bare=True)

    async def _dispatch(self) -> web.StreamResponse:
        target = resolve(self._call, self._segments)
        if target.rest[:1] == ["api"]:
            return self._api(target)
        match = self._find(target)
        if match is None:
            raise Refused(404, "Not Found")
        route, rest = match
        if self._request.method not in route.methods and not (
            self._request.method == "HEAD" and "GET" in route.methods
        ):
            response = self._page(405, "This URL requires POST" if "POST" in route.methods else "Method Not Allowed")
            response.headers["Allow"] = ", ".join(route.methods)
            return response
        return await route.handler(self._call, target.thing, rest)

    @staticmethod
    def _find(target: Target) -> tuple[Route, str] | None:
        for length in range(len(target.rest), -1, -1):
            route = ROUTES.get((target.kind, "/".join(target.rest[:length])))
            if route and (length == len(target.rest) or route.takes_rest):
                return route, "/".join(target.rest[length:])
        return None

    def _api(self, target: Target) -> web.StreamResponse:
        flavour = target.rest[1] if len(target.rest) > 1 else ""
        if flavour not in {"json", "xml", "python"} or len(target.rest) > 2:
            raise Refused(404, "Not Found")
        exported = _exported(self._call.exports, target)
        if exported is None:
            raise Refused(404, "Not Found")
        body, kind = api.render(exported, flavour, self._request.query)
        response = web.Response(body=body.encode(), headers={"Content-Type": kind})
        response.headers["X-Content-Type-Options"], response.headers["X-Frame-Options"] = "nosniff", "deny"
        return response

    def _forbidden(self, refusal: Forbidden) -> web.Response:
        if self._call.identity.is_anonymous:
            # Browsers are sent to the login page by the page itself; clients see 403 and no challenge.
            come_back = quote("/" + self._request.raw_path.lstrip("/"), safe="")
            target = f"/login?from={come_back}"
            body = (
                f"<html><head><meta http-equiv='refresh' content='1;url={target}'/>"
                f"<script>window.location.replace({json.dumps(target)});</script></head>"
                "<body style='background-color:white; color:white;'>\nAuthentication required\n"
                f"<!--\n{html.escape(refusal.message)}\n-->\n</body></html>"
            )
            response = web.Response(text=body, status=403, content_type="text/html")
        else:
            response = self._page(403, f"Access Denied: {refusal.message}")
        response.headers["X-You-Are-Authenticated-As"] = self._call.identity.name
        response.headers["X-Required-Permission"] = _java_permission(refusal.permission)
        if refusal.permission != "Overall/Administer":
            response.headers["X-Permission-Implied-By"] = "hudson.model.Hudson.Administer"
        return response

    def _refusal(self, refusal: Refused) -> web.Response:
        if refusal.is_bare:
            return self._bare(refusal.status, refusal.message)
        if refusal.status == 404:
            return web.Response(text=missing(self._controller), status=404, content_type="text/html", charset="utf-8")
        return self._page(refusal.status, refusal.message)

    def _bare(self, status: int, message: str) -> web.Response:
        self._is_bare = True
        page = bare(status, message, self._request.path).encode("iso-8859-1", "xmlcharrefreplace")
        kind = {"Content-Type": "text/html;charset=iso-8859-1", "Cache-Control": "must-revalidate,no-cache,no-store"}
        return web.Response(body=page, status=status, headers=kind)

    def _page(self, status: int, message: str) -> web.Response:
        return web.Response(text=notice(self._controller, status, message), status=status, content_type="text/html")

    def _policy(self) -> dict[str, str]:
        """What a browser may load and run on the page; reported only, unless the settings enforce it."""
        is_enforced = self._controller.home.configuration.value(
            "security", "contentSecurityPolicy", "enforce", default=False
        )
        report_uri = f"{self._controller.home.url}content-security-policy-reporting-endpoint/{secrets.token_hex(16)}"
        return {
            f"Content-Security-Policy{'' if is_enforced else '-Report-Only'}": (
                f"{POLICY} report-to content-security-policy; report-uri {report_uri}"
            ),
            "Reporting-Endpoints": f"content-security-policy: {report_uri}",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def _advertise(self, response: web.StreamResponse) -> None:
        if response.prepared:
            return
        if not self._is_bare:
            response.headers["X-Hudson"] = "1.395"
            response.headers["X-Jenkins"] = self._controller.home.options.version
            response.headers["X-Jenkins-Session"] = self._controller.session
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "sameorigin")
        response.headers["Server"] = "jenkins-emulator"
        if not self._call.identity.is_anonymous:
            response.headers.update(self._policy())
        session = self._call.session
        if session is not None and session is not self._session:
            is_secure = self._call.base.startswith("https:")
            response.set_cookie(
                self._controller.sessions.cookie,
                session.identifier,
                path="/",
                httponly=True,
                samesite="Lax",
                secure=is_secure,
            )


def _java_permission(name: str) -> str:
    group, _, right = name.partition("/")
    owner = {"Overall": "Hudson", "Job": "Item", "Agent": "Computer"}.get(group, group)
    return f"hudson.model.{owner}.{right}"


def _exported(exports: Exports, target: Target) -> api.Exported | None:
    if len(target.rest) == 2 or target.kind != "root":
        kinds: dict[str, Any] = {
            "root": lambda thing: exports.root(),
            "folder": exports.folder,
            "job": exports.job,
            "build": exports.build,
            "queueitem": exports.queue_item,
            "queuepart": exports.queue_part,
            "computer": exports.computer,
            "user": exports.user,
            "view": lambda pair: exports.view(*pair),
        }
        make = kinds.get(target.kind)
        return make(target.thing) if make else None
    return None
