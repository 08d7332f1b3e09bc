"""Answers refusals and exceptions as Jenkins does: its own pages, those of its web server, and the page of an exception."""

from __future__ import annotations

import html
import json
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .. import journal
from ..controller import Controller
from ..failures import Forbidden, Refused
from ..model.security import Identity
from .pages import render_bare, render_not_found, render_notice, render_oops, render_post_only

PART = "part"
_GROUPS = (
    "JENKINS-39402: use -Dhudson.security.AccessDeniedException2.REPORT_GROUP_HEADERS=true or use /whoAmI to diagnose"
)
_GENERIC = "hudson.security.Permission.Generic"
_ADMINISTER = "hudson.model.Hudson.Administer"
# What implies a permission besides Administer: the generic permissions, by the name of the permission.
_IMPLIED_BY = {
    "Read": ("Read",),
    "Create": ("Create", "Write"),
    "Configure": ("Configure", "Update", "Write"),
    "Delete": ("Delete", "Write"),
    "Build": ("Update", "Write"),
}


def answer_bare(status: int, message: str, path: str) -> web.Response:
    """Answer with the page of the web server, which has none of Jenkins' headers."""
    page = render_bare(status, message, path).encode("iso-8859-1", "xmlcharrefreplace")
    kind = {"Content-Type": "text/html;charset=iso-8859-1", "Cache-Control": "must-revalidate,no-cache,no-store"}
    return web.Response(body=page, status=status, headers=kind)


def answer_page(controller: Controller, status: int, message: str) -> web.Response:
    """Answer with a page of Jenkins that has one message."""
    page = render_notice(controller, status, message)
    return web.Response(text=page, status=status, content_type="text/html", charset="utf-8")


def answer_fault(controller: Controller, fault: BaseException | str) -> web.Response:
    """Answer an exception: the page has only a logging ID, and the journal has the exception under that ID."""
    page = render_oops(controller, journal.log_uncaught(fault))
    return web.Response(text=page, status=500, content_type="text/html", charset="utf-8")


def answer_refusal(controller: Controller, refusal: Refused, path: str) -> web.Response:
    """Answer a refusal; what Jenkins words itself is a page, and what its web server words is that server's page."""
    if refusal.status == 404 and not refusal.is_bare:
        page = render_not_found(controller)
        return web.Response(text=page, status=404, content_type="text/html", charset="utf-8")
    if refusal.status == 500:
        return answer_fault(controller, refusal.message)
    if refusal.is_failure:
        response = answer_page(controller, refusal.status, refusal.message)
        # Jenkins' web server sends a blank for every character that a header cannot have.
        response.headers["X-Error"] = "".join(letter if " " <= letter <= "~" else " " for letter in refusal.message)
        return response
    if refusal.status in {403, 501} and not refusal.is_bare:
        return answer_page(controller, refusal.status, refusal.message)
    return answer_bare(refusal.status, refusal.message, path)


def answer_forbidden(controller: Controller, identity: Identity, refusal: Forbidden, raw_path: str) -> web.Response:
    """Answer that a permission is missing: anonymous browsers are sent to the login, without a challenge."""
    if identity.is_anonymous:
        target = f"/login?from={quote('/' + raw_path.lstrip('/'), safe='')}"
        body = (
            f"<html><head><meta http-equiv='refresh' content='1;url={target}'/>"
            f"<script>window.location.replace({json.dumps(target)});</script></head>"
            "<body style='background-color:white; color:white;'>\nAuthentication required\n"
            f"<!--\n{html.escape(refusal.message)}\n-->\n</body></html>"
        )
        response = web.Response(text=body, status=403, content_type="text/html", charset="utf-8")
        response[PART] = True
        response.headers["X-Hudson"] = "1.395"
        response.headers["X-Jenkins"] = controller.home.options.version
    else:
        response = answer_page(controller, 403, refusal.message)
    response.headers["X-You-Are-Authenticated-As"] = identity.name
    response.headers["X-You-Are-In-Group-Disabled"] = _GROUPS
    response.headers["X-Required-Permission"] = _name_permission(refusal.permission)
    if refusal.permission != "Overall/Administer":
        implying = [f"{_GENERIC}{name}" for name in _IMPLIED_BY.get(refusal.permission.rpartition("/")[2], ())]
        response.headers["X-Permission-Implied-By"] = ", ".join([*implying, _ADMINISTER])
    return response


def answer_wrong_method(controller: Controller, methods: tuple[str, ...]) -> web.Response:
    """Answer that a path takes other methods."""
    if "POST" not in methods:
        response = answer_page(controller, 405, "Method Not Allowed")
    else:
        page = render_post_only(controller)
        response = web.Response(text=page, status=405, content_type="text/html", charset="utf-8")
    response.headers["Allow"] = ", ".join(methods)
    return response


def is_page(response: web.StreamResponse) -> bool:
    """Whether an answer is a page of Jenkins itself, with the headers of one; `PART` marks what is only a part of a page."""
    if PART in response:
        return False
    kind: Any = response.headers.get("Content-Type", "")
    return str(kind).lower().replace(" ", "").startswith("text/html;charset=utf-8")


def _name_permission(name: str) -> str:
    group, _, right = name.partition("/")
    owner = {"Overall": "Hudson", "Job": "Item", "Agent": "Computer"}.get(group, group)
    return f"hudson.model.{owner}.{right}"
