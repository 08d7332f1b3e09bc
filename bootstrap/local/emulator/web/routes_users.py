"""Routes of users and their API tokens, and of the credentials of the system store."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from ..failures import Forbidden, Refused, failure
from ..model import xmlfile
from ..model.credentials import CLASSES, Credential
from ..model.items import Folder
from ..model.security import User
from . import pages
from .calls import Call, route, text

PROPERTY = "user:descriptorByName/jenkins.security.ApiTokenProperty"
STORE = "root:credentials/store/system/domain/_"


def _require_own(call: Call, user: User) -> None:
    # Jenkins lets even administrators make tokens for themselves only.
    if call.identity.name.lower() != user.identifier.lower():
        raise Forbidden(call.identity.name, "Overall/Administer")


def _answer(data: dict[str, Any]) -> web.Response:
    return text(json.dumps({"status": "ok", "data": data}), kind="application/json")


@route("user:")
async def show_user(call: Call, user: User, rest: str) -> web.Response:
    """Show the page of a user."""
    return pages.respond(pages.render_user(call, user))


@route(f"{PROPERTY}/generateNewToken", f"{PROPERTY}/addFixedToken", methods=("POST",))
async def create_token(call: Call, user: User, rest: str) -> web.Response:
    """Create an API token: random, or with the value that the caller gives."""
    _require_own(call, user)
    form = await call.read_form()
    value = form.get("newTokenPlainValue", "") if call.request.path.endswith("addFixedToken") else ""
    try:
        if call.request.path.endswith("addFixedToken") and not value:
            raise ValueError("The token value is missing")
        token, plain = call.controller.home.users.add_token(user, form.get("newTokenName", ""), value)
    except ValueError as fault:
        raise failure(str(fault)) from fault
    return _answer({"tokenName": token.name, "tokenUuid": token.identifier, "tokenValue": plain})


@route(f"{PROPERTY}/revoke", methods=("POST",))
async def revoke(call: Call, user: User, rest: str) -> web.Response:
    """Revoke one API token."""
    _require_own(call, user)
    identifier = (await call.read_form()).get("tokenUuid", "")
    if not identifier:
        raise failure("The tokenUuid is missing")
    call.controller.home.users.revoke(user, identifier)
    return web.Response(status=200)


@route(f"{PROPERTY}/revokeAll", methods=("POST",))
async def revoke_all(call: Call, user: User, rest: str) -> web.Response:
    """Revoke all API tokens of the user."""
    _require_own(call, user)
    for token in list(user.tokens):
        call.controller.home.users.revoke(user, token.identifier)
    return web.Response(status=200)


@route(f"{PROPERTY}/rename", methods=("POST",))
async def rename(call: Call, user: User, rest: str) -> web.Response:
    """Rename an API token."""
    _require_own(call, user)
    form = await call.read_form()
    for token in user.tokens:
        if token.identifier == form.get("tokenUuid"):
            token.name = form.get("newName") or token.name
            user.save()
            return web.Response(status=200)
    raise failure("No token found, try to refresh the page")


@route(f"{STORE}/api", takes_rest=True)
async def list_credentials(call: Call, folder: Folder, rest: str) -> web.Response:
    """List ids and kinds of the system credentials."""
    call.require("Credentials/View")
    if rest != "json":
        raise Refused(404, "Not Found")
    shown = [
        {
            "id": entry.identifier,
            "description": entry.description,
            "typeName": entry.kind,
            "displayName": entry.description or entry.identifier,
        }
        for entry in call.controller.home.credentials.list_all()
    ]
    document = {
        "_class": "com.cloudbees.plugins.credentials.CredentialsStoreAction$DomainWrapper",
        "credentials": shown,
    }
    return text(json.dumps(document), kind="application/json")


def _parse_credential(content: bytes) -> Credential:
    kinds = {name: kind for kind, name in CLASSES.items()}
    try:
        root = xmlfile.parse(content)
    except xmlfile.BadXml as fault:
        raise Refused(500, str(fault)) from fault
    if root.tag not in kinds:
        raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    values = {child.tag: child.text or "" for child in root.iter() if child is not root and len(child) == 0}
    identifier, scope, description = (values.pop(key, "") for key in ("id", "scope", "description"))
    if not identifier:
        raise failure("the id is missing")
    return Credential(kinds[root.tag], identifier, scope or "GLOBAL", description, values)


@route(f"{STORE}/createCredentials", methods=("POST",))
async def create(call: Call, folder: Folder, rest: str) -> web.Response:
    """Create a credential from XML; 409 if the id exists."""
    call.require("Credentials/Create")
    credential = _parse_credential(await call.request.read())
    if call.controller.home.credentials.find(credential.identifier):
        return web.Response(status=409)
    call.controller.home.credentials.put(credential)
    return web.Response(status=200)


@route(f"{STORE}/credential", methods=("GET", "POST", "DELETE"), takes_rest=True)
async def serve_credential(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send (with secrets redacted), replace or delete one credential."""
    identifier, _, tail = rest.partition("/")
    held = call.controller.home.credentials.find(identifier)
    if held is None:
        raise Refused(404, f"no credential {identifier}")
    if (tail == "doDelete" and call.request.method == "POST") or (
        tail == "config.xml" and call.request.method == "DELETE"
    ):
        call.require("Credentials/Delete")
        call.controller.home.credentials.remove(identifier)
        return web.Response(status=200)
    if tail == "config.xml" and call.request.method == "POST":
        call.require("Credentials/Update")
        call.controller.home.credentials.put(_parse_credential(await call.request.read()))
        return web.Response(status=200)
    if tail == "config.xml":
        call.require("Credentials/View")
        document = xmlfile.serialise(call.controller.home.credentials.describe(held))
        return web.Response(
            body=document.replace(b"&lt;secret-redacted/&gt;", b"<secret-redacted/>"), content_type="application/xml"
        )
    raise Refused(404, "Not Found")
