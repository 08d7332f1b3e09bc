"""Renders the pages for browsers: plain HTML without external files, in light and dark."""

from __future__ import annotations

import base64
import hashlib
import html
import time
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ..controller import Controller
from ..failures import Issue
from ..model.builds import Build
from ..model.inputs import PendingInput
from ..model.items import Folder, Item
from ..model.jobs import Job
from ..model.security import User
from ..model.views import View
from .calls import Call

STYLE = (Path(__file__).parents[1] / "data" / "style.css").read_text()
LONGEST_LOG = 200_000  # characters of a log that a page shows; a link leads to the whole log
TITLES = {400: "Error", 403: "Access Denied", 405: "Wrong method", 501: "Not in the emulator"}
PROBLEM = "A problem occurred while processing the request"
SKIP = '<a href="#skip2content" class="jenkins-skip-link" hidden>Skip to content</a>'
# These pages need no script and only their own style; this policy always applies, also where the header only reports.
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self'; base-uri 'none'; form-action 'self'"
POLICY = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
VIEWPORT = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'


def _escape(text: object) -> str:
    return html.escape(str(text))


def _render_page(controller: Controller, title: str, body: str, right: str = "", refresh: int = 0) -> str:
    version = _escape(controller.home.options.version)
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head>{VIEWPORT}{POLICY}{again}'
        f"<title>{_escape(title)} - Jenkins (emulator)</title><style>{STYLE}</style></head><body>"
        f'{SKIP}<div class="banner" role="note"><b>Emulator:</b> stands in for Jenkins {version}</div>'
        f'<header><a class="home" href="/">Jenkins</a><span>{right}</span></header>'
        f'<main id="main-panel">{body}</main></body></html>'
    )


def respond(content: str, status: int = 200) -> web.Response:
    """An answer with this page."""
    return web.Response(text=content, status=status, content_type="text/html", charset="utf-8")


def render_frame(call: Call, title: str, body: str) -> str:
    """Render a page with this HTML for the caller."""
    return _render_page(call.controller, title, body, _render_account(call))


def render_notice(controller: Controller, status: int, message: str) -> str:
    """Render a page with one message."""
    title = TITLES.get(status, "Jenkins")
    return _render_page(controller, title, f"<h1>{title}</h1><pre>{_escape(message)}</pre>")


def render_oops(controller: Controller, identifier: str) -> str:
    """Render Jenkins' page of an exception that no handler caught: it has the logging ID of the journal, and no cause."""
    body = f'<div id="error-description"><h2>{PROBLEM}</h2><p>Logging ID={identifier}</p></div>'
    return _render_page(controller, "Jenkins", f"<h1>Oops!</h1>{body}")


def render_post_only(controller: Controller) -> str:
    """Render Jenkins' page of a path that only a form may open."""
    return _render_page(controller, "Jenkins", "<h1>This URL requires POST</h1><p>It takes the data of a form.</p>")


def render_not_found(controller: Controller) -> str:
    """Render Jenkins' page of an object that does not exist, or that the user may not see."""
    note = "This page may not exist, or you may not have permission to see it."
    return _render_page(controller, "Jenkins", f"<h1>Oops!</h1><h2>Not Found</h2><p>{note}</p>")


def render_casc_error(controller: Controller, issue: Issue) -> str:
    """Render Jenkins' page of a refused reload: the fault and its element, without file and line."""
    title = "Error loading configuration"
    words = f"{_escape(issue.page or issue.said)}<pre><code>{_escape(issue.owner)}</code></pre>"
    attribute = f"<p>Attribute was: <pre><code>{_escape(issue.unknown)}</code></pre></p>" if issue.unknown else ""
    listed = "".join(f"<li>{_escape(name)}</li>" for name in issue.available)
    known = f"<p>Valid attributes are:</p><ul>{listed}</ul>" if listed else ""
    return _render_page(controller, title, f"<h1>{title}</h1><p>{words}</p>{attribute}{known}")


def render_bare(status: int, message: str, path: str) -> str:
    """Render an error page of the web server (Jetty), which answers without Jenkins."""
    rows = {"URI": path, "STATUS": status, "MESSAGE": message, "SERVLET": "Stapler"}
    table = "\n".join(f"<tr><th>{name}:</th><td>{_escape(value)}</td></tr>" for name, value in rows.items())
    head = f"<title>Error {status} {_escape(message)}</title>"
    return (
        f'<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=iso-8859-1"/>\n{head}\n</head>\n<body>\n'
        f"<h2>HTTP ERROR {status} {_escape(message)}</h2>\n<table>\n{table}\n</table>\n"
        '<hr/><a href="https://jetty.org/">Powered by Jetty:// 12.1.8</a><hr/>\n\n</body>\n</html>'
    )


def _render_link(path: str, text: str) -> str:
    return f'<a href="/{_escape(path)}">{_escape(text)}</a>'


def _render_row(*cells: tuple[str, str]) -> str:
    """Render a row of a table; a cell is its CSS classes and its HTML."""
    return "<tr>" + "".join(f'<td class="{classes}">{content}</td>' for classes, content in cells) + "</tr>"


def _render_account(call: Call) -> str:
    name = call.identity.name
    if call.identity.is_anonymous:
        return _render_link("login", "Log in")
    return f"{_render_link(f'user/{name}/', call.controller.home.find_full_name(name))} · {_render_link('logout', 'Log out')}"


def _render_result(build: Build | None) -> str:
    if build is None:
        return '<span class="mark none">never built</span>'
    if build.is_building:
        return '<span class="mark running">running</span>'
    return (
        f'<span class="mark {_escape(build.result)}">{_escape((build.result or "").lower().replace("_", " "))}</span>'
    )


def _format_age(moment: int) -> str:
    seconds = max(0, int(time.time() - moment / 1000))
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return f"{seconds} s ago"


def _format_duration(build: Build | None) -> str:
    if build is None or build.is_building:
        return ""
    if build.duration < 60_000:
        return f"{build.duration / 1000:.1f} s"
    return f"{build.duration // 60_000} min {build.duration // 1000 % 60} s"


def _join_causes(build: Build) -> str:
    return "; ".join(cause.text for cause in build.causes)


def _render_path(item: Item | None) -> str:
    """Render links to the folders above a page."""
    links: list[str] = []
    while item is not None and item.parent is not None:
        links.insert(0, _render_link(item.path, item.display_name))
        item = item.parent
    return '<p class="note">' + " / ".join([_render_link("", "Dashboard"), *links]) + "</p>"


def _render_item_row(item: Item, is_full: bool) -> str:
    link = _render_link(item.path, item.full_name if is_full else item.display_name)
    if isinstance(item, Job):
        last = item.find_build("lastBuild")
        when = f"{_render_link(last.path, last.shown_name)} {_format_age(last.timestamp)}" if last else ""
        state = '<span class="mark none">disabled</span>' if item.is_disabled else _render_result(last)
        return _render_row(("", state), ("", link), ("num", when), ("num wide", _format_duration(last)))
    count = len(item.children) if isinstance(item, Folder) else 0
    return _render_row(
        ("", '<span class="mark none">folder</span>'), ("", link), ("num", f"{count} items"), ("num wide", "")
    )


def render_front(call: Call, folder: Folder, view: View | None = None) -> str:
    """Render the jobs of a folder or a view."""
    controller = call.controller
    members = folder.list_shown(view) if view else folder.items
    if not controller.home.authorization.allows(call.identity, "Job/Read"):
        members = []
    rows = "".join(_render_item_row(item, view is not None) for item in members)
    head = '<tr><th>Status</th><th>Job</th><th>Last build</th><th class="wide">Duration</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    tabs = "".join(_render_link(f"{folder.path}view/{entry.name}/", entry.name) for entry in folder.views)
    message = (
        folder.description
        if folder.parent
        else controller.home.configuration.read("jenkins", "systemMessage", default="")
    )
    title = folder.display_name or "Dashboard"
    body = (
        _render_path(folder.parent) if folder.parent else ""
    ) + f'<h1>{_escape(title)}</h1><p class="note">{_escape(message)}</p>'
    if controller.quiet_mode.is_on:
        body += '<p class="wrong">Jenkins is going to shut down. No further builds will be performed.</p>'
    if len(folder.views) > 1:
        body += f'<nav class="views">{tabs}</nav>'
    return _render_page(
        controller,
        title,
        body + (table if rows else '<p class="note">There are no jobs here yet.</p>'),
        _render_account(call),
    )


def _render_build_row(build: Build) -> str:
    return _render_row(
        ("", _render_result(build)),
        ("", _render_link(build.path, build.shown_name)),
        ("wide", _escape(_join_causes(build))),
        ("num", _format_age(build.timestamp)),
        ("num wide", _format_duration(build)),
    )


def render_job(call: Call, job: Job) -> str:
    """Render a job with its last builds."""
    rows = "".join(_render_build_row(build) for build in job.history.list_builds()[:30])
    waiting = call.controller.queue.find_of_job(job)
    kind = ("Pipeline" if job.is_pipeline else "Freestyle job") + (", disabled" if job.is_disabled else "")
    # Job Builder writes its mark as a comment at the end.
    description = _escape(job.description.split("<!--")[0].strip())
    body = f'{_render_path(job.parent)}<h1>{_escape(job.display_name)}</h1><p class="note">{kind}. {description}</p>'
    if waiting:
        body += f'<p class="note">In the queue: {_escape(waiting.why)}</p>'
    body += (
        f"<h2>Builds</h2><table><tbody>{rows}</tbody></table>"
        if rows
        else '<p class="note">There are no builds yet.</p>'
    )
    return _render_page(call.controller, job.full_name, body, _render_account(call), refresh=5 if waiting else 0)


def render_build(call: Call, build: Build) -> str:
    """Render a build with its console."""
    log = build.log
    if len(log) > LONGEST_LOG:
        log = "... (the whole log is one link below)\n" + log[-LONGEST_LOG:]
    title = f"{build.job.full_name} {build.shown_name}"
    spent = "" if build.is_building else f", took {_format_duration(build)}"
    head = f"<h1>{_escape(build.job.display_name)} {_escape(build.shown_name)}</h1>"
    body = f"{_render_path(build.job)}{head}<p>{_render_result(build)}</p>"
    started = _format_age(build.timestamp)
    body += f'<p class="note">{_escape(_join_causes(build))}. {started}{spent}. {_escape(build.description)}</p>'
    for question in call.controller.inputs.list_open(build):
        body += _render_question(call, question)
    if build.tests:
        body += f"<p>Tests: {build.tests.total} run, {build.tests.failed} failed, {build.tests.skipped} skipped.</p>"
    if build.artifacts:
        files = "".join(f"<li>{_render_link(f'{build.path}artifact/{path}', path)}</li>" for path in build.artifacts)
        body += f"<h2>Artifacts</h2><ul>{files}</ul>"
    plain = _render_link(f"{build.path}consoleText", "As plain text")
    body += f"<h2>Console output</h2><pre>{_escape(log)}</pre><p>{plain}</p>"
    return _render_page(call.controller, title, body, _render_account(call), refresh=3 if build.is_building else 0)


def _render_question(call: Call, question: PendingInput) -> str:
    """Render an input that waits, with its two buttons; one with parameters is answered through the API."""
    message = f'<p class="running">Waits for an answer: {_escape(question.message)}</p>'
    where = f"/{question.build.path}input/{quote(question.identifier)}/"
    if question.parameters:
        names = ", ".join(str(entry["name"]) for entry in question.parameters)
        return f'{message}<p class="note">It needs values for {_escape(names)}: send a POST to {_escape(where)}proceed.</p>'
    crumb = call.controller.sessions.make_crumb(call.identity.name, call.session) if call.session else ""
    return (
        f'{message}<form method="post" action="{where}submit"><input type="hidden" name="Jenkins-Crumb" value="{crumb}">'
        f'<button name="proceed" value="1">{_escape(question.proceed)}</button> '
        f'<button name="abort" value="1">{_escape(question.abort)}</button></form>'
    )


def render_user(call: Call, user: User) -> str:
    """Render a user."""
    note = f'<p class="note">User id: {_escape(user.identifier)}. {_escape(user.description)}</p>'
    return _render_page(
        call.controller, user.full_name, f"<h1>{_escape(user.full_name)}</h1>{note}", _render_account(call)
    )


def render_login(call: Call, *, is_wrong: bool) -> str:
    """Render the login form; `is_wrong` adds that the last login failed."""
    wrong = '<p class="wrong" role="alert">Invalid username or password</p>' if is_wrong else ""
    target = _escape(call.request.query.get("from", "/"))
    crumb = call.controller.sessions.make_crumb(call.identity.name, call.session) if call.session else ""
    body = (
        f'<form class="login" method="post" action="/j_spring_security_check"><h1>Sign in to Jenkins</h1>{wrong}'
        '<label for="user">Username</label>'
        '<input id="user" name="j_username" autocomplete="username" autofocus required>'
        '<label for="password">Password</label>'
        '<input id="password" name="j_password" type="password" autocomplete="current-password" required>'
        f'<input type="hidden" name="from" value="{target}"><input type="hidden" name="Jenkins-Crumb" value="{crumb}">'
        "<button>Sign in</button></form>"
    )
    return _render_page(call.controller, "Sign in", body)
