"""Answers with an object of the remote API; which kinds of objects have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from .api import Exported
from .calls import Call
from .exports import Exports
from .rendering import render

# How each kind of object that a path can name is exported.
EXPORTED: dict[str, Callable[[Exports, Any], Any]] = {
    "root": lambda exports, thing: exports.export_root(),
    "folder": lambda exports, folder: exports.export_folder(folder),
    "job": lambda exports, job: exports.export_job(job),
    "build": lambda exports, build: exports.export_build(build),
    "queueitem": lambda exports, item: exports.export_queue_item(item),
    "queuepart": lambda exports, part: exports.export_queue_part(part),
    "computer": lambda exports, node: exports.export_computer(node),
    "executor": lambda exports, pair: exports.export_executor(*pair),
    "label": lambda exports, name: exports.export_label(name),
    "load": lambda exports, kind: exports.export_load(kind),
    "plugin": lambda exports, name: exports.export_plugin(name),
    "user": lambda exports, user: exports.export_user(user),
    "view": lambda exports, pair: exports.export_view(*pair),
    "store": lambda exports, place: exports.export_store(
        [(name, place.store.list_domain(name)) for name in place.store.domains], *place.names
    ),
    "domain": lambda exports, place: exports.export_domain(
        place.domain, place.store.list_domain(place.domain), *place.names
    ),
    "credential": lambda exports, place: exports.export_credential(
        place.credential, f"{place.names[0]}/{place.domain or '_'}"
    ),
}


def respond_exported(exported: Exported, flavour: str, call: Call, *, is_open: bool = False) -> web.Response:
    """Answer with an exported object in one flavour: json, xml or python."""
    body, kind = render(exported, flavour, call.request.query, is_open=is_open)
    response = web.Response(body=body.encode(), headers={"Content-Type": kind})
    response.headers["X-Content-Type-Options"], response.headers["X-Frame-Options"] = "nosniff", "deny"
    response.headers["X-Jenkins"] = call.controller.home.options.version
    return response
