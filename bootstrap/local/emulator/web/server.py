"""Answers every request: finds the identity, checks crumb and permissions, calls the route, and renders refusals."""

from __future__ import annotations

import base64
import binascii
import secrets
from urllib.parse import unquote

from aiohttp import web

from ..controller import Controller
from ..failures import Forbidden, Refused
from ..model.security import Identity
from ..model.sessions import Session
from . import (  # noqa: F401 (they register routes)
    refusals,
    routes_accounts,
    routes_agents,
    routes_builds,
    routes_casc,
    routes_changes,
    routes_cli,
    routes_credentials,
    routes_feeds,
    routes_inputs,
    routes_items,
    routes_metrics,
    routes_nodes,
    routes_pages,
    routes_root,
    routes_scripts,
    routes_triggers,
    routes_users,
    routes_views,
    routes_workspaces,
    unmodelled,
)
from .answers import EXPORTED, respond_exported
from .calls import ANONYMOUS_LIMIT, LIMIT, ROUTES, Call, Route, redirect
from .password_checks import Logins
from .rendering import FLAVOURS, PlainAnswer
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
    "signup",
    "instance-identity",
    "oops",
    "error",
    "tcpSlaveAgentListener",
    "metrics",
    "cli",
    "git",
    "securityRealm",
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


class BadCredentials(Exception):
    """The credentials of a Basic header are wrong; Jenkins answers 401 only in this case."""


def make_application(controller: Controller) -> web.Application:
    """Make the application. One handler takes every path, because Jenkins' paths name objects and follow no patterns."""
    application = web.Application(client_max_size=LIMIT)
    application[routes_cli.DUPLEXES] = {}
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
        # Only raw_path distinguishes '%2F' from '/'.
        path = request.raw_path.split("?", 1)[0]
        self._segments = [unquote(part) for part in path.split("/") if part]

    async def answer(self) -> web.StreamResponse:
        """Answer the request; every exception becomes an answer in Jenkins' form."""
        try:
            self._call.identity = await self._identify()
            self._limit_body()
            self._controller.audit.log_request(
                self._call.identity, self._call.sender, self._request.raw_path, self._request.query.get("name")
            )
            await self._check_crumb()
            if (self._segments[:1] or [""])[0] not in {*OPEN, routes_metrics.find_first_segment(self._controller)}:
                self._call.require("Overall/Read")
            response = await self._dispatch()
        except BadCredentials:
            response = refusals.answer_bare(401, "Unauthorized", self._request.path)
            response.headers["WWW-Authenticate"] = 'Basic realm="Jenkins", charset="UTF-8"'
        except Forbidden as refusal:
            response = refusals.answer_forbidden(self._controller, self._call.identity, refusal, self._request.raw_path)
        except Refused as refusal:
            response = refusals.answer_refusal(self._controller, refusal, self._request.path)
        except PlainAnswer as answer:
            response = web.Response(body=answer.message.encode(), status=answer.status)
            response.headers.popall("Content-Type", None)
        except web.HTTPMethodNotAllowed as refusal:
            response = refusals.answer_wrong_method(self._controller, tuple(sorted(refusal.allowed_methods)))
        except web.HTTPException as refusal:
            response = refusals.answer_bare(refusal.status, refusal.reason, self._request.path)
        except Exception as fault:
            response = refusals.answer_fault(self._controller, fault)
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
        if self._request.path == "/cli":  # hudson.cli.CliCrumbExclusion: this path alone
            return
        crumb = self._request.headers.get(CRUMB) or (await self._call.read_form()).get(CRUMB, "")
        if not self._controller.sessions.is_crumb(crumb, self._call.identity.name, self._session):
            raise Refused(403, "No valid crumb was included in the request", is_bare=True)

    async def _dispatch(self) -> web.StreamResponse:
        target = resolve(self._call, self._segments)
        self._call.via = target.via
        is_slashed = self._request.path.endswith("/")
        is_read = self._request.method in {"GET", "HEAD"}
        if target.rest[:1] == ["api"] and len(target.rest) > 1 and target.kind in EXPORTED:
            return self._serve_api(target)
        match = self._find_routes(target)
        if not target.rest and target.kind != "root" and is_read and not is_slashed:
            return self._add_slash()
        if match is None:
            if is_read and not is_slashed and unmodelled.is_object(target.kind, target.rest):
                return self._add_slash()
            unmodelled.refuse(target.kind, target.rest, self._request.method, self._call)
            raise Refused(404, "Not Found")
        routes, rest = match
        method = self._request.method
        fitting = next((each for each in routes if method in each.methods), None)
        if fitting is None and method == "HEAD":
            fitting = next((each for each in routes if "GET" in each.methods), None)
        if fitting is None:
            methods = tuple(method for each in routes for method in each.methods)
            return refusals.answer_wrong_method(self._controller, methods)
        if fitting.is_object and is_read and not rest and not is_slashed:
            return self._add_slash()
        return await fitting.handler(self._call, target.thing, rest)

    def _add_slash(self) -> web.Response:
        """Redirect to the path with a slash at its end, as Jenkins does for every path that names an object."""
        raw, _, query = self._request.raw_path.partition("?")
        return redirect(f"{raw}/" + (f"?{query}" if query else ""))

    @staticmethod
    def _find_routes(target: Target) -> tuple[list[Route], str] | None:
        for length in range(len(target.rest), -1, -1):
            listed = ROUTES.get((target.kind, "/".join(target.rest[:length])), [])
            fitting = [route for route in listed if length == len(target.rest) or route.takes_rest]
            if fitting:
                return fitting, "/".join(target.rest[length:])
        return None

    def _serve_api(self, target: Target) -> web.StreamResponse:
        flavour = target.rest[1]
        if flavour not in FLAVOURS:
            unmodelled.refuse(target.kind, target.rest, self._request.method, self._call)
            raise Refused(404, "Not Found")
        return respond_exported(EXPORTED[target.kind](self._call.exports, target.thing), flavour, self._call)

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
        }

    def _add_headers(self, response: web.StreamResponse) -> None:
        if response.prepared:
            return
        is_page, is_api = refusals.is_page(response), "X-Jenkins" in response.headers
        if is_page:
            response.headers["X-Hudson"] = "1.395"
            response.headers.setdefault("X-Frame-Options", "sameorigin")
            response.headers.setdefault("Cache-Control", "no-cache,no-store,must-revalidate")
            response.headers.setdefault("Expires", "0")
            response.headers["X-Hudson-Theme"] = "default"
            response.headers["Referrer-Policy"] = response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if is_page or is_api:
            response.headers["X-Jenkins"] = self._controller.home.options.version
            response.headers["X-Jenkins-Session"] = self._controller.session
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers["Server"] = "jenkins-emulator"
        if (is_page or is_api) and not self._call.identity.is_anonymous:
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
