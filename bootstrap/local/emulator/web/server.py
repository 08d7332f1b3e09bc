"""Answers every request: finds the identity, checks crumb and permissions, calls the route, and renders refusals."""

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
from . import (  # noqa: F401 (they register routes)
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
from .pages import render_bare, render_not_found, render_notice, render_oops
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
ANONYMOUS_LIMIT = 64 * 1024  # bytes of a body from an anonymous user; the login form has a few hundred


class BadCredentials(Exception):
    """The credentials of a Basic header are wrong; Jenkins answers 401 only in this case."""


def make_application(controller: Controller) -> web.Application:
    """Make the application. One handler takes every path, because Jenkins' paths name objects and follow no patterns."""
    application = web.Application(client_max_size=LIMIT)
    logins = Logins(controller.home.users)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await Front(controller, logins, request).answer()

    application.router.add_route("*", "/{path:.*}", handle)
    return application


class Front:
    """Answers one request."""

    def __init__(self, controller: Controller, logins: Logins, request: web.Request) -> None:
        self._controller, self._request = controller, request
        self._session: Session | None = controller.sessions.find(request.cookies.get(controller.sessions.cookie))
        self._call = Call(controller, logins, request, Identity(), self._session)
        self._is_bare = False
        # Only raw_path distinguishes '%2F' from '/'.
        path = request.raw_path.split("?", 1)[0]
        self._segments = [unquote(part) for part in path.split("/") if part]

    async def answer(self) -> web.StreamResponse:
        """Answer the request; every exception becomes an answer in Jenkins' form."""
        try:
            self._call.identity = await self._identify()
            self._limit_body()
            self._controller.audit.request(
                self._call.identity, self._call.sender, self._request.raw_path, self._request.query.get("name")
            )
            await self._check_crumb()
            if (self._segments[:1] or [""])[0] not in {*OPEN, routes_metrics.find_first_segment(self._controller)}:
                self._call.require("Overall/Read")
            response = await self._dispatch()
        except BadCredentials:
            response = self._answer_bare(401, "Unauthorized")
            response.headers["WWW-Authenticate"] = 'Basic realm="Jenkins", charset="UTF-8"'
        except Forbidden as refusal:
            response = self._answer_forbidden(refusal)
        except Refused as refusal:
            response = self._answer_refusal(refusal)
            if refusal.is_failure:
                response.headers["X-Error"] = (
                    quote(refusal.message, safe=" -_.,:;/()‘’“”'\"?!*@#$^&|<>[]")
                    .encode("latin-1", "replace")
                    .decode("latin-1")
                )
        except web.HTTPException as refusal:
            response = self._answer_page(refusal.status, refusal.reason)
        except Exception as fault:
            page = render_oops(self._controller, journal.log_uncaught(fault))
            response = web.Response(text=page, status=500, content_type="text/html", charset="utf-8")
        self._add_headers(response)
        return response

    async def _identify(self) -> Identity:
        header = self._request.headers.get("Authorization", "")
        if header.lower().startswith("basic "):
            return await self._check_basic(header[6:])
        return Identity(self._session.user) if self._session else Identity()

    async def _check_basic(self, encoded: str) -> Identity:
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
        """Limit the size of a body that an anonymous user sends; raises HTTPRequestEntityTooLarge for a longer one."""
        if not self._call.identity.is_anonymous or self._request.method not in self._request.POST_METHODS:
            return  # the emulator reads no body of other methods
        if (self._request.content_length or 0) > ANONYMOUS_LIMIT:
            raise web.HTTPRequestEntityTooLarge(ANONYMOUS_LIMIT, self._request.content_length or 0)
        self._request = self._call.request = self._request.clone(client_max_size=ANONYMOUS_LIMIT)

    async def _check_crumb(self) -> None:
        # Jenkins' login filter comes before its crumb filter, and the path of the reload has a token of its own.
        if self._request.method != "POST" or self._call.identity.by_token:
            return
        if (self._segments[:1] or [""])[0] in {"j_spring_security_check", "reload-configuration-as-code"}:
            return
        crumb = self._request.headers.get(CRUMB) or (await self._call.read_form()).get(CRUMB, "")
        if not self._controller.sessions.is_crumb(crumb, self._call.identity.name, self._session):
            raise Refused(403, "No valid crumb was included in the request", is_bare=True)

    async def _dispatch(self) -> web.StreamResponse:
        target = resolve(self._call, self._segments)
        if target.rest[:1] == ["api"]:
            return self._serve_api(target)
        match = self._find_route(target)
        if match is None:
            raise Refused(404, "Not Found")
        route, rest = match
        if self._request.method not in route.methods and not (
            self._request.method == "HEAD" and "GET" in route.methods
        ):
            response = self._answer_page(
                405, "This URL requires POST" if "POST" in route.methods else "Method Not Allowed"
            )
            response.headers["Allow"] = ", ".join(route.methods)
            return response
        return await route.handler(self._call, target.thing, rest)

    @staticmethod
    def _find_route(target: Target) -> tuple[Route, str] | None:
        for length in range(len(target.rest), -1, -1):
            route = ROUTES.get((target.kind, "/".join(target.rest[:length])))
            if route and (length == len(target.rest) or route.takes_rest):
                return route, "/".join(target.rest[length:])
        return None

    def _serve_api(self, target: Target) -> web.StreamResponse:
        flavour = target.rest[1] if len(target.rest) > 1 else ""
        if flavour not in {"json", "xml", "python"} or len(target.rest) > 2:
            raise Refused(404, "Not Found")
        exported = _export(self._call.exports, target)
        if exported is None:
            raise Refused(404, "Not Found")
        body, kind = api.render(exported, flavour, self._request.query)
        response = web.Response(body=body.encode(), headers={"Content-Type": kind})
        response.headers["X-Content-Type-Options"], response.headers["X-Frame-Options"] = "nosniff", "deny"
        return response

    def _answer_forbidden(self, refusal: Forbidden) -> web.Response:
        if self._call.identity.is_anonymous:
            # The page sends browsers to the login; other clients see 403 and no challenge.
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
            response = self._answer_page(403, f"Access Denied: {refusal.message}")
        response.headers["X-You-Are-Authenticated-As"] = self._call.identity.name
        response.headers["X-Required-Permission"] = _name_java_permission(refusal.permission)
        if refusal.permission != "Overall/Administer":
            response.headers["X-Permission-Implied-By"] = "hudson.model.Hudson.Administer"
        return response

    def _answer_refusal(self, refusal: Refused) -> web.Response:
        if refusal.is_bare:
            return self._answer_bare(refusal.status, refusal.message)
        if refusal.status == 404:
            return web.Response(
                text=render_not_found(self._controller), status=404, content_type="text/html", charset="utf-8"
            )
        return self._answer_page(refusal.status, refusal.message)

    def _answer_bare(self, status: int, message: str) -> web.Response:
        self._is_bare = True
        page = render_bare(status, message, self._request.path).encode("iso-8859-1", "xmlcharrefreplace")
        kind = {"Content-Type": "text/html;charset=iso-8859-1", "Cache-Control": "must-revalidate,no-cache,no-store"}
        return web.Response(body=page, status=status, headers=kind)

    def _answer_page(self, status: int, message: str) -> web.Response:
        return web.Response(
            text=render_notice(self._controller, status, message), status=status, content_type="text/html"
        )

    def _make_policy(self) -> dict[str, str]:
        """Make the headers of the content security policy; it is only reported unless the settings enforce it."""
        is_enforced = self._controller.home.configuration.read(
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

    def _add_headers(self, response: web.StreamResponse) -> None:
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
            response.headers.update(self._make_policy())
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


def _name_java_permission(name: str) -> str:
    group, _, right = name.partition("/")
    owner = {"Overall": "Hudson", "Job": "Item", "Agent": "Computer"}.get(group, group)
    return f"hudson.model.{owner}.{right}"


def _export(exports: Exports, target: Target) -> api.Exported | None:
    if len(target.rest) == 2 or target.kind != "root":
        kinds: dict[str, Any] = {
            "root": lambda thing: exports.export_root(),
            "folder": exports.export_folder,
            "job": exports.export_job,
            "build": exports.export_build,
            "queueitem": exports.export_queue_item,
            "queuepart": exports.export_queue_part,
            "computer": exports.export_computer,
            "user": exports.export_user,
            "view": lambda pair: exports.export_view(*pair),
        }
        make = kinds.get(target.kind)
        return make(target.thing) if make else None
    return None
