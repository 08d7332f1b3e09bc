"""Routes of the stores of credentials: of the system, and of folders (plugin credentials)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from ..failures import Refused
from ..model import xmlfile
from ..model.credentials import DOMAIN, KINDS, Credential, make_credential, parse_credential
from ..model.items import Folder, check_name
from . import pages
from .answers import respond_exported
from .calls import Call, redirect, register_route, respond_xml
from .rendering import FLAVOURS
from .resolver import StorePlace


@register_route("root:credentials/api", "folder:credentials/api", takes_rest=True)
async def list_stores(call: Call, folder: Folder, rest: str) -> web.Response:
    """List the stores of the root or of a folder."""
    if rest not in FLAVOURS:
        raise Refused(404, "Not Found")
    return respond_exported(call.exports.export_stores(is_root=folder.parent is None), rest, call)


@register_route("root:credentials", "folder:credentials", is_object=True)
async def show_credentials(call: Call, folder: Folder, rest: str) -> web.Response:
    """Show the names of the credentials that the caller may see."""
    if not call.controller.home.authorization.allows(call.identity, "Credentials/View"):
        raise Refused(404, "Not Found")
    listed = call.controller.home.credentials.list_all()
    words = "\n".join(f"{entry.identifier}: {entry.shown_name}" for entry in listed) or "There are no credentials"
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route("store:createDomain", methods=("POST",))
async def create_domain(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Create a domain from XML; 409 if the store has one of its name."""
    call.require("Credentials/ManageDomains")
    try:
        root = xmlfile.parse(await call.request.read())
    except xmlfile.BadXml as fault:
        raise Refused(500, str(fault)) from fault
    if root.tag != DOMAIN:
        raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    name = xmlfile.read_text(root, "name")
    check_name(name)
    if name in place.store.domains:
        return web.Response(status=409)
    place.store.add_domain(name)
    return web.Response(status=200)


@register_route("domain:config.xml", methods=("GET", "DELETE"))
async def serve_domain(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Send a domain, or delete it with its credentials; the global domain stays."""
    if call.request.method == "GET":
        return respond_xml(place.store.describe_domain(place.domain))
    call.require("Credentials/ManageDomains")
    if not place.domain:
        raise Refused(400, "Bad Request", is_bare=True)
    place.store.remove_domain(place.domain)
    return web.Response(status=200)


@register_route("domain:doDelete", methods=("POST",))
async def delete_domain(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Delete a domain with its credentials, as its page does; the global domain stays."""
    call.require("Credentials/ManageDomains")
    if not place.domain:
        raise Refused(400, "Bad Request", is_bare=True)
    place.store.remove_domain(place.domain)
    return redirect(f"/{place.domain_path.rpartition('/domain/')[0]}/")


@register_route("domain:createCredentials", methods=("POST",))
async def create(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Create a credential: from XML (200; 409 if the domain has one of its id), or from the form of the page (302)."""
    call.require("Credentials/Create")
    is_form = call.request.content_type not in {"text/xml", "application/xml"}
    credential = await _read_form(call) if is_form else parse_credential(await call.request.read())
    credential = replace(credential, domain=place.domain)
    if place.store.find_in(place.domain, credential.identifier) is None:
        place.store.put(credential)
    elif not is_form:
        return web.Response(status=409)
    return redirect(f"/{place.domain_path}") if is_form else web.Response(status=200)


async def _read_form(call: Call) -> Credential:
    """Read the credential of the form of the page."""
    form: Any = await call.read_json_field()
    if not form:
        raise Refused(400, "This page expects a form submission", is_bare=True)
    given: dict[str, Any] = form.get("credentials") or {}
    kind = KINDS.get(str(given.get("$class") or given.get("stapler-class")))
    if kind is None:
        raise Refused(500, "java.lang.IllegalArgumentException: the form names no class of a credential")
    values = {key: str(value) for key, value in given.items() if not key.startswith(("$", "stapler"))}
    return make_credential(kind, values)


@register_route("domain:", "credential:")
async def show_place(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Show a domain or a credential by name."""
    words = place.credential.shown_name if place.credential else place.domain or "Global"
    return pages.respond(pages.render_notice(call.controller, 200, words))


@register_route("credential:", methods=("DELETE",))
async def show_after_delete(call: Call, place: StorePlace, rest: str) -> web.StreamResponse:
    """Show the credential: in Jenkins a DELETE of this path deletes nothing, only that of its config.xml does."""
    return await show_place(call, place, rest)


def _find_credential(place: StorePlace) -> Credential:
    if place.credential is None:
        raise Refused(404, "Not Found")
    return place.credential


@register_route("credential:config.xml", methods=("GET", "POST", "DELETE"))
async def serve_credential(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Send (with secrets redacted), replace or delete one credential; its id cannot change."""
    held = _find_credential(place)
    if call.request.method == "GET":
        return respond_xml(place.store.describe(held))
    if call.request.method == "DELETE":
        call.require("Credentials/Delete")
        place.store.remove(held.identifier, place.domain)
        return web.Response(status=200)
    call.require("Credentials/Update")
    credential = replace(parse_credential(await call.request.read()), domain=place.domain)
    if credential.identifier != held.identifier:
        raise Refused(500, "java.lang.IllegalArgumentException: the id of a credential cannot change")
    place.store.put(credential)
    return web.Response(status=200)


@register_route("credential:doDelete", methods=("POST",))
async def delete(call: Call, place: StorePlace, rest: str) -> web.Response:
    """Delete one credential, then redirect to its domain."""
    call.require("Credentials/Delete")
    place.store.remove(_find_credential(place).identifier, place.domain)
    return redirect(f"/{place.domain_path}/")
