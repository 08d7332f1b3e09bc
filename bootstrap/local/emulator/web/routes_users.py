"""Routes of users and their API tokens."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from ..failures import Refused
from ..model.security import User
from . import pages
from .calls import Call, answer_text, redirect, register_route

PROPERTY = "user:descriptorByName/jenkins.security.ApiTokenProperty"


def _may_change(call: Call, user: User) -> bool:
    # Jenkins lets even administrators make tokens for themselves only.
    return call.identity.name.lower() == user.identifier.lower()


def _answer(data: dict[str, Any]) -> web.Response:
    return answer_text(json.dumps({"status": "ok", "data": data}), kind="application/json")


@register_route("user:")
async def show_user(call: Call, user: User, rest: str) -> web.Response:
    """Show the page of a user."""
    return pages.respond(pages.render_user(call, user))


@register_route("user:doDelete", methods=("POST",))
async def delete_user(call: Call, user: User, rest: str) -> web.Response:
    """Delete a user, and redirect to what is above the users; nobody can delete themself."""
    call.require("Overall/Administer")
    if call.identity.name.lower() == user.identifier.lower():
        raise Refused(400, "Cannot delete self")
    call.controller.home.users.remove(user)
    above = call.request.raw_path.partition("?")[0].split("/")[:-3]
    return redirect("/".join([*above, ""]) or "/")


@register_route(f"{PROPERTY}/generateNewToken", methods=("POST",))
async def create_token(call: Call, user: User, rest: str) -> web.Response:
    """Create a random API token."""
    if not _may_change(call, user):
        return web.Response(status=403)
    token, plain = call.controller.home.users.add_token(user, (await call.read_form()).get("newTokenName", ""))
    named = {"tokenName": token.name, "tokenUuid": token.identifier, "tokenValue": plain}
    return _answer({"aboutToExpire": False, **named, "expirationDate": "never"})


@register_route(f"{PROPERTY}/addFixedToken", methods=("POST",))
async def add_token(call: Call, user: User, rest: str) -> web.Response:
    """Add an API token with the value that the caller gives; the answer does not repeat it."""
    if not _may_change(call, user):
        return web.Response(status=403)
    form = await call.read_form()
    value = form.get("newTokenPlainValue", "")
    try:
        if not value:
            raise ValueError("The token value is missing")
        token, _ = call.controller.home.users.add_token(user, form.get("newTokenName", ""), value)
    except ValueError as fault:
        raise Refused(500, f"java.lang.IllegalArgumentException: {fault}") from fault
    return _answer({"tokenName": token.name, "tokenUuid": token.identifier})


@register_route(f"{PROPERTY}/revoke", methods=("POST",))
async def revoke(call: Call, user: User, rest: str) -> web.Response:
    """Revoke one API token."""
    if not _may_change(call, user):
        return web.Response(status=403)
    identifier = (await call.read_form()).get("tokenUuid", "")
    if not identifier:
        raise Refused(400, "The tokenUuid cannot be empty", is_bare=True)
    call.controller.home.users.revoke(user, identifier)
    return web.Response(status=200)


@register_route(f"{PROPERTY}/revokeAll", f"{PROPERTY}/revokeAllExcept", methods=("POST",))
async def revoke_all(call: Call, user: User, rest: str) -> web.Response:
    """Revoke all API tokens of the user; the second path spares the one that the form names."""
    if not _may_change(call, user):
        return web.Response(status=403)
    spared = (await call.read_form()).get("tokenUuid", "") if call.request.path.endswith("Except") else ""
    for token in list(user.tokens):
        if token.identifier != spared:
            call.controller.home.users.revoke(user, token.identifier)
    return web.Response(status=200)


@register_route(f"{PROPERTY}/rename", methods=("POST",))
async def rename(call: Call, user: User, rest: str) -> web.Response:
    """Rename an API token; a fault is an answer, too."""
    if not _may_change(call, user):
        return web.Response(status=403)
    form = await call.read_form()
    if not form.get("newName", "").strip():
        return _answer_fault("The name cannot be empty")
    for token in user.tokens:
        if token.identifier == form.get("tokenUuid"):
            token.name = form["newName"]
            user.save()
            return answer_text(json.dumps({"status": "ok"}), kind="application/json")
    return _answer_fault("No token found, try refreshing the page")


def _answer_fault(message: str) -> web.Response:
    return answer_text(json.dumps({"status": "error", "message": message}), kind="application/json")
