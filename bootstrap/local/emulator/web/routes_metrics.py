"""Routes of the plugin prometheus: metrics of builds, executors and the controller, in Prometheus' text format."""

from __future__ import annotations

import time
from collections.abc import Iterator

from aiohttp import web

from ..controller import Controller
from ..failures import Refused
from ..model.build_record import ORDER
from ..model.items import Folder
from .calls import Call, register_route

KIND = "text/plain; version=0.0.4; charset=utf-8"
_STARTED = time.time()


def find_first_segment(controller: Controller) -> str | None:
    """Find the first segment of the configured path; None without the plugin."""
    if "prometheus" not in controller.home.options.plugins:
        return None
    return _read_path(controller)[0]


def _read_path(controller: Controller) -> list[str]:
    path = controller.home.configuration.read("unclassified", "prometheusConfiguration", "path", default="prometheus")
    return [part for part in str(path).split("/") if part] or ["prometheus"]


@register_route("root:prometheus", takes_rest=True, is_object=True)
async def send_metrics(call: Call, folder: Folder, rest: str) -> web.Response:
    """Send all metrics; if the settings demand it, only to callers with the permission Metrics/View."""
    path = _read_path(call.controller)
    if find_first_segment(call.controller) is None or [part for part in call.request.path.split("/") if part] != path:
        raise Refused(404, "Not Found")
    settings = call.controller.home.configuration.read("unclassified", "prometheusConfiguration", default={})
    is_closed = settings.get("useAuthenticatedEndpoint", False)
    if is_closed and not call.controller.home.authorization.allows(call.identity, "Metrics/View"):
        # Jenkins sends no page and no redirect to the login here.
        return web.Response(status=403)
    lines = "".join(
        f"{line}\n" for line in _render_lines(call.controller, str(settings.get("defaultNamespace") or "default"))
    )
    headers = {"Content-Type": KIND, "Cache-Control": "must-revalidate,no-cache,no-store"}
    return web.Response(body=lines.encode(), headers=headers)


def _render_metric(title: str, kind: str, words: str, values: list[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {title} {words}"
    yield f"# TYPE {title} {kind}"
    for labels, value in values:
        shown = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        yield f"{title}{{{shown},}} {float(value)}" if shown else f"{title} {float(value)}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _render_lines(controller: Controller, space: str) -> Iterator[str]:
    nodes, executors = controller.home.configuration.nodes, controller.executors
    defined, busy = sum(node.executors for node in nodes if executors.is_online(node.name)), len(executors.busy)
    start = f"{space}_jenkins"
    version = {"version": controller.home.options.version}
    numbers: list[tuple[str, str, dict[str, str], float]] = [
        (f"{start}_up", "Is Jenkins ready to receive requests", {}, 1),
        (f"{start}_uptime", "Time since Jenkins machine was initialized", {}, (time.time() - _STARTED) * 1000),
        (f"{start}_version_info", "Jenkins application version", version, 1),
        (f"{start}_quietdown", "Is Jenkins in quiet mode", {}, controller.quiet_mode.is_on),
        (f"{start}_executors_defined", "Defined executors", {"label": "built-in"}, defined),
        (f"{start}_executors_busy", "Busy executors", {"label": "built-in"}, busy),
        (f"{start}_executors_idle", "Idle executors", {"label": "built-in"}, defined - busy),
        ("jenkins_executor_count_value", "Executors", {}, defined),
        ("jenkins_executor_free_value", "Free executors", {}, defined - busy),
        ("jenkins_executor_in_use_value", "Executors in use", {}, busy),
        ("jenkins_job_count_value", "Jobs", {}, len(controller.home.tree.jobs)),
        ("jenkins_node_count_value", "Nodes", {}, len(nodes)),
        ("jenkins_plugins_active", "Active plugins", {}, len(controller.home.options.plugins)),
        ("jenkins_queue_size_value", "Items in the queue", {}, len(controller.queue.waiting)),
    ]
    for title, words, labels, value in numbers:
        yield from _render_metric(title, "gauge", words, [(labels, value)])
    yield from _render_builds(controller, start)


def _render_builds(controller: Controller, start: str) -> Iterator[str]:
    settings = controller.home.configuration.read("unclassified", "prometheusConfiguration", default={})
    label = str(settings.get("jobAttributeName") or "jenkins_job")
    results: list[tuple[dict[str, str], float]] = []
    durations: list[tuple[dict[str, str], float]] = []
    counts: list[tuple[dict[str, str], float]] = []
    for job in controller.home.tree.jobs:
        labels = {label: job.full_name, "repo": "NA", "buildable": str(not job.is_disabled).lower()}
        last = job.find_build("lastCompletedBuild")
        counts.append((labels, len(job.history.list_builds())))
        if last is not None and last.result:
            results.append((labels, ORDER.index(last.result)))
            durations.append((labels, last.duration))
    for title, words, values in (
        ("available_builds_count", "Builds that are kept", counts),
        ("last_build_result_ordinal", "Result of the last build, 0 is success", results),
        ("last_build_duration_milliseconds", "Duration of the last build", durations),
    ):
        yield from _render_metric(f"{start}_builds_{title}", "gauge", words, values)
