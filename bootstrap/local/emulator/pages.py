"""The few pages for people: plain HTML without foreign assets, in light and dark."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING

from aiohttp import web

from .builds import Build
from .items import Folder, Job
from .security import User
from .views import View

if TYPE_CHECKING:
    from .calls import Call
    from .controller import Controller

STYLE = """
:root{color-scheme:light dark;--ink:#1b2126;--soft:#5b6770;--line:#dfe4e8;--ground:#fff;--raised:#f5f7f9;--link:#0b5cad;
--good:#1a7f4b;--bad:#c4302b;--mild:#a86500;--idle:#76828c}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaee;--soft:#9aa7b2;--line:#2c343c;--ground:#14181c;--raised:#1c2228;--link:#6cb2ff;
--good:#4cc38a;--bad:#ff7b72;--mild:#e3a53c;--idle:#8b98a3}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
.banner{background:var(--raised);border-bottom:1px solid var(--line);color:var(--soft);font-size:.875rem;padding:.45rem 1.5rem}
.banner b{color:var(--mild)}
header{display:flex;gap:1rem;align-items:baseline;justify-content:space-between;padding:1.1rem 1.5rem .4rem;max-width:72rem;margin:auto}
header .home{font-weight:650;color:var(--ink)}
main{max-width:72rem;margin:auto;padding:.2rem 1.5rem 4rem}
h1{font-size:1.6rem;line-height:1.25;margin:.6rem 0 .2rem;font-weight:650}
h2{font-size:1.05rem;margin:2rem 0 .5rem;font-weight:650}
p.note{color:var(--soft);margin:.2rem 0 1.2rem;max-width:44rem}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th{font-weight:500;color:var(--soft);text-align:left;font-size:.82rem}
th,td{padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
td.num{font-variant-numeric:tabular-nums;white-space:nowrap;color:var(--soft)}
.mark{display:inline-block;min-width:7.2rem;font-size:.86rem;font-weight:600}
.mark::before{content:"";display:inline-block;width:.62rem;height:.62rem;border-radius:50%;background:currentColor;margin-right:.5rem}
.SUCCESS{color:var(--good)}.FAILURE{color:var(--bad)}.UNSTABLE{color:var(--mild)}.ABORTED,.NOT_BUILT,.none{color:var(--idle)}.running{color:var(--link)}
pre{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:1rem 1.1rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;
font:13.5px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
nav.views a{margin-right:1.1rem}nav.views{margin:.4rem 0 .8rem}
form.login{max-width:21rem;margin:12vh auto 0}
label{display:block;font-size:.9rem;margin:.9rem 0 .25rem}
input{width:100%;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--idle);border-radius:6px;padding:.5rem .65rem}
button{font:inherit;font-weight:600;margin-top:1.2rem;border:0;border-radius:6px;background:var(--link);color:var(--ground);padding:.55rem 1.3rem;cursor:pointer}
a:focus-visible,input:focus-visible,button:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.wrong{color:var(--bad)}
@media(max-width:40rem){th.wide,td.wide{display:none}main,header{padding-left:1rem;padding-right:1rem}.mark{min-width:0}}
"""


def _esc(text: object) -> str:
    return html.escape(str(text))


def _page(controller: Controller, title: str, body: str, right: str = "", refresh: int = 0) -> str:
    version = _esc(controller.surroundings.version)
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{again}'
        f"<title>{_esc(title)} - Jenkins (emulator)</title><style>{STYLE}</style></head><body>"
        f'<div class="banner" role="note"><b>Emulator:</b> stands in for Jenkins {version}</div>'
        f'<header><a class="home" href="/">Jenkins</a><span>{right}</span></header><main>{body}</main></body></html>'
    )


def respond(content: str, status: int = 200) -> web.Response:
    """A page as an answer."""
    return web.Response(text=content, status=status, content_type="text/html", charset="utf-8")


def notice(controller: Controller, status: int, message: str) -> str:
    """A page with one message."""
    title = {401: "Not accepted", 403: "Access denied", 404: "Not found", 405: "Wrong method", 500: "It failed"}.get(
        status, "Jenkins"
    )
    return _page(controller, title, f"<h1>{title}</h1><pre>{_esc(message)}</pre>")


def _who(call: Call) -> str:
    if call.identity.is_anonymous:
        return '<a href="/login">Log in</a>'
    return f'<a href="/user/{_esc(call.identity.name)}/">{_esc(call.controller.fullname_of(call.identity.name))}</a> · <a href="/logout">Log out</a>'


def _mark(build: Build | None) -> str:
    if build is None:
        return '<span class="mark none">never built</span>'
    if build.is_building:
        return '<span class="mark running">running</span>'
    return f'<span class="mark {build.result}">{_esc((build.result or "").lower().replace("_", " "))}</span>'


def _ago(moment: int) -> str:
    seconds = max(0, int(time.time() - moment / 1000))
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return f"{seconds} s ago"


def _seconds(milliseconds: int) -> str:
    return (
        f"{milliseconds / 1000:.1f} s"
        if milliseconds < 60_000
        else f"{milliseconds // 60_000} min {milliseconds // 1000 % 60} s"
    )


def _crumbs(path: str, names: list[str]) -> str:
    links, whole = ['<a href="/">Dashboard</a>'], "/"
    for name in names:
        whole += f"job/{name}/"
        links.append(f'<a href="{_esc(whole)}">{_esc(name)}</a>')
    return '<p class="note">' + " / ".join(links) + "</p>"


def front(call: Call, folder: Folder, view: View | None = None) -> str:
    """The jobs of a folder or a view."""
    members = view.members(folder) if view else folder.items
    if not call.controller.authorization.allows(call.identity, "Job/Read"):
        members = []
    rows = ""
    for item in members:
        link = f'<a href="/{_esc(item.path)}">{_esc(item.full_name if view else item.display_name)}</a>'
        if isinstance(item, Folder):
            rows += f'<tr><td><span class="mark none">folder</span></td><td>{link}</td><td class="num wide"></td><td class="num">{len(item.children)} items</td></tr>'
        elif isinstance(item, Job):
            last = item.build("lastBuild")
            when = f'<a href="/{_esc(last.path)}">{_esc(last.shown_name)}</a> {_ago(last.timestamp)}' if last else ""
            state = '<span class="mark none">disabled</span>' if item.is_disabled else _mark(last)
            rows += f'<tr><td>{state}</td><td>{link}</td><td class="num">{when}</td><td class="num wide">{_seconds(last.duration) if last and not last.is_building else ""}</td></tr>'
    table = (
        f'<table><thead><tr><th>Status</th><th>Job</th><th>Last build</th><th class="wide">Duration</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="note">There are no jobs here yet.</p>'
    )
    tabs = "".join(
        f'<a href="/{_esc(folder.path)}view/{_esc(entry.name)}/">{_esc(entry.name)}</a>' for entry in folder.views
    )
    message = (
        call.controller.configuration.value("jenkins", "systemMessage", default="")
        if folder.parent is None
        else folder.description
    )
    quieting = (
        '<p class="wrong">Jenkins is going to shut down. No further builds will be performed.</p>'
        if call.controller.quieting_reason is not None
        else ""
    )
    above = _crumbs("", folder.full_name.split("/")) if folder.parent else ""
    title = folder.display_name or "Dashboard"
    body = f'{above}<h1>{_esc(title)}</h1><p class="note">{_esc(message)}</p>{quieting}<nav class="views">{tabs if len(folder.views) > 1 else ""}</nav>{table}'
    return _page(call.controller, title, body, _who(call))


def job(call: Call, job: Job) -> str:
    """A job and its last builds."""
    rows = "".join(
        f'<tr><td>{_mark(build)}</td><td><a href="/{_esc(build.path)}">{_esc(build.shown_name)}</a></td><td class="wide">{_esc("; ".join(cause.text for cause in build.causes))}</td>'
        f'<td class="num">{_ago(build.timestamp)}</td><td class="num wide">{"" if build.is_building else _seconds(build.duration)}</td></tr>'
        for build in job.history.all()[:30]
    )
    waiting = call.controller.queue.of(job)
    queued = f'<p class="note">In the queue: {_esc(waiting.why)}</p>' if waiting else ""
    kind = "Pipeline" if job.is_pipeline else "Freestyle job"
    state = ", disabled" if job.is_disabled else ""
    table = (
        f"<h2>Builds</h2><table><tbody>{rows}</tbody></table>" if rows else '<p class="note">It was never built.</p>'
    )
    description = job.description.split("<!--")[0]
    body = f'{_crumbs("", job.full_name.split("/")[:-1])}<h1>{_esc(job.display_name)}</h1><p class="note">{kind}{state}. {_esc(description)}</p>{queued}{table}'
    return _page(call.controller, job.full_name, body, _who(call), refresh=5 if waiting else 0)


def build(call: Call, build: Build) -> str:
    """A build and its console."""
    log = build.log_path.read_text(errors="replace") if build.log_path.exists() else ""
    if len(log) > 200_000:
        log = "... (the whole log is at consoleText)\n" + log[-200_000:]
    files = "".join(
        f'<li><a href="/{_esc(build.path)}artifact/{_esc(path)}">{_esc(path)}</a></li>' for path in build.artifacts
    )
    tests = (
        f"<p>Tests: {build.tests.total} run, {build.tests.failed} failed, {build.tests.skipped} skipped.</p>"
        if build.tests
        else ""
    )
    questions = "".join(
        f'<p class="running">Waits for an answer: {_esc(question.message)}</p>'
        for question in call.controller.inputs.of(build)
    )
    spent = "" if build.is_building else f", took {_seconds(build.duration)}"
    causes = _esc("; ".join(cause.text for cause in build.causes))
    body = (
        f"{_crumbs('', build.job.full_name.split('/'))}<h1>{_esc(build.job.display_name)} {_esc(build.shown_name)}</h1><p>{_mark(build)}</p>"
        f'<p class="note">{causes}. {_ago(build.timestamp)}{spent}. {_esc(build.description)}</p>{questions}{tests}'
        + (f"<h2>Artifacts</h2><ul>{files}</ul>" if files else "")
        + f'<h2>Console output</h2><pre>{_esc(log)}</pre><p><a href="/{_esc(build.path)}consoleText">As plain text</a></p>'
    )
    return _page(
        call.controller,
        f"{build.job.full_name} {build.shown_name}",
        body,
        _who(call),
        refresh=3 if build.is_building else 0,
    )


def user(call: Call, user: User) -> str:
    """An account."""
    body = (
        f'<h1>{_esc(user.full_name)}</h1><p class="note">User id: {_esc(user.identifier)}. {_esc(user.description)}</p>'
    )
    return _page(call.controller, user.full_name, body, _who(call))


def login(call: Call, *, is_wrong: bool) -> str:
    """The login form."""
    wrong = '<p class="wrong" role="alert">Invalid username or password</p>' if is_wrong else ""
    target = _esc(call.request.query.get("from", "/"))
    body = (
        f'<form class="login" method="post" action="/j_spring_security_check"><h1>Sign in to Jenkins</h1>{wrong}'
        '<label for="user">Username</label><input id="user" name="j_username" autocomplete="username" autofocus required>'
        '<label for="password">Password</label><input id="password" name="j_password" type="password" autocomplete="current-password" required>'
        f'<input type="hidden" name="from" value="{target}"><button>Sign in</button></form>'
    )
    return _page(call.controller, "Sign in", body)
