"""Routes of the feeds (Atom) of builds and of the log."""

from __future__ import annotations

import time
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from .. import journal
from ..model.builds import Build
from ..model.items import Folder
from ..model.jobs import Job
from .calls import Call, register_route

# Jenkins gives every feed this id.
_IDENTIFIER = "urn:uuid:903deee0-7bfa-11db-9fe1-0800200c9a66"
_NEVER = "2001-01-01T00:00:00Z"
_WORDS = {"rssAll": "all builds", "rssFailed": "failed builds", "rssLatest": "latest builds"}
_RESULTS = {"SUCCESS": "stable", "UNSTABLE": "unstable", "ABORTED": "aborted", "NOT_BUILT": "not built"}
PATHS = tuple(f"{kind}:{name}" for kind in ("root", "folder", "job", "view") for name in _WORDS)


def _format_moment(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))


def _render_feed(title: str, url: str, updated: str, entries: list[str]) -> web.Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n    \n    <feed xmlns="http://www.w3.org/2005/Atom">'
        f'<title>{escape(title)}</title><link rel="alternate" type="text/html" href="{escape(url)}"></link>'
        f"<updated>{updated}</updated><author><name>Jenkins Server</name></author><id>{_IDENTIFIER}</id>"
        f"{''.join(entries)}</feed>"
    )
    return web.Response(body=body.encode(), headers={"Content-Type": "application/atom+xml;charset=UTF-8"})


def _render_entry(title: str, url: str, identifier: str, moment: str, content: str = "") -> str:
    return (
        f'<entry><title>{escape(title)}</title><link rel="alternate" type="text/html" href="{escape(url)}"></link>'
        f"<id>{escape(identifier)}</id><published>{moment}</published><updated>{moment}</updated>"
        f"<content>{escape(content)}</content></entry>"
    )


@register_route(*PATHS)
async def send_builds(call: Call, thing: Any, rest: str) -> web.Response:
    """Send the builds of a job, a folder or a view."""
    kind = call.request.path.rstrip("/").rpartition("/")[2]
    folder: Any = thing[0] if isinstance(thing, tuple) else thing
    jobs = [folder] if isinstance(folder, Job) else [job for job in folder.walk() if isinstance(job, Job)]
    if not call.controller.home.authorization.allows(call.identity, "Job/Read"):
        jobs = []
    builds: list[Build] = []
    for job in jobs:
        held = [build for build in job.history.list_builds() if not build.is_building]
        failed = [build for build in held if build.result == "FAILURE"]
        builds += failed if kind == "rssFailed" else held[:1] if kind == "rssLatest" else held
    builds.sort(key=lambda build: -build.timestamp)
    name = folder.name
    if not isinstance(folder, Job):
        view = thing[1] if isinstance(thing, tuple) else folder.first_view
        name = "All" if view.name.lower() == "all" else view.name
    entries = [
        _render_entry(
            f"{build.job.full_name} {build.shown_name} ({_RESULTS.get(build.result or '', 'broken')})",
            call.base + build.path,
            f"tag:hudson.dev.java.net,{time.gmtime(build.timestamp / 1000).tm_year}:{build.job.full_name}:{build.number}",
            _format_moment(build.timestamp),
        )
        for build in builds
    ]
    updated = _format_moment(builds[0].timestamp) if builds else _NEVER
    return _render_feed(f"Jenkins:{name} ({_WORDS[kind]})", call.base + folder.path, updated, entries)


@register_route("root:log/rss")
async def send_log(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send the last messages of the log."""
    call.require("Overall/Administer")
    entries: list[str] = []
    for number, (moment, level, message, exception) in enumerate(journal.RECENT, 1):
        when = moment[:19].replace(" ", "T") + "Z"
        title = message.partition(": ")[2]
        entries.insert(0, _render_entry(title, f"{call.base}log", str(number), when, f"{level}: {title}\n{exception}"))
    updated = _format_moment(int(time.time() * 1000))
    return _render_feed("Jenkins:log (all entries)", call.base, updated, entries)
