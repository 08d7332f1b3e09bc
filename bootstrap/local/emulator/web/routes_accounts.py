"""Routes by which an administrator creates an account; nobody can sign up."""

from __future__ import annotations

import html
from collections.abc import Mapping

from aiohttp import web

from ..failures import Refused
from ..model.accounts import create_account, find_faults, read_form
from ..model.items import Folder
from . import pages
from .calls import Call, redirect, register_route

_TITLE = "Create User"
# The fields of Jenkins' form: name, label, type, and the field whose fault stands below it.
_FIELDS = (
    ("username", "Username", "text", "username"),
    ("password1", "Password", "password", "password1"),
    ("password2", "Confirm password", "password", "password1"),
    ("fullname", "Full name", "text", "fullname"),
    ("email", "Email", "text", "email"),
)


def _require_database(call: Call) -> None:
    """Only Jenkins' own user database has these pages."""
    if call.controller.home.configuration.read("jenkins", "securityRealm", "local") is None:
        raise Refused(404, "Not Found")
    call.require("Overall/Administer")


def _has_mail(call: Call) -> bool:
    return "mailer" in call.controller.home.options.plugins


@register_route("root:securityRealm/addUser")
async def show_form(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the form of a new account."""
    _require_database(call)
    return _respond(call, {}, {})


@register_route("root:securityRealm/createAccountByAdmin", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create an account; if something is wrong, show the form again with what it is (status 200, as in Jenkins)."""
    _require_database(call)
    fields, users = await call.read_form(), call.controller.home.users
    form = read_form(fields)
    if faults := find_faults(form, users, has_mail=_has_mail(call)):
        return _respond(call, fields, faults)
    create_account(form, users, has_mail=_has_mail(call))
    return redirect("/securityRealm/")


def _respond(call: Call, given: Mapping[str, str], faults: Mapping[str, str]) -> web.Response:
    """Answer with the form; passwords are not sent back."""
    crumb = call.controller.sessions.make_crumb(call.identity.name, call.session) if call.session else ""
    rows = "".join(
        _render_field(name, label, kind, given.get(name, ""), faults.get(fault, ""))
        for name, label, kind, fault in _FIELDS
        if name != "email" or _has_mail(call)
    )
    body = (
        f'<form class="login" method="post" action="/securityRealm/createAccountByAdmin"><h1>{_TITLE}</h1>{rows}'
        f'<input type="hidden" name="Jenkins-Crumb" value="{crumb}"><button>{_TITLE}</button></form>'
    )
    return pages.respond(pages.render_frame(call, _TITLE, body))


def _render_field(name: str, label: str, kind: str, value: str, fault: str) -> str:
    shown = "" if kind == "password" else html.escape(value)
    error = f'<div class="error">{html.escape(fault, quote=False)}</div>' if fault else ""
    return f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" value="{shown}">{error}'
