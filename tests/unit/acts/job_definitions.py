"""Definitions of jobs, and a Jenkins that lists and keeps what is sent."""

import re
from pathlib import Path

from bootstrap.acts import jobs
from bootstrap.jenkins.controller.api import make_job_path
from bootstrap.values import JobSet

INI = (Path(__file__).resolve().parents[3] / "jobs" / "job-builder.ini").read_text()
DEFAULTS = "- defaults: {name: global, disabled: false}\n"
PLUGINS = {"git": "5.10.1", "cloudbees-folder": "6", "workflow-cps": "1", "workflow-job": "1"}
VARIABLES = {"repository": "file:///srv/git/toolkit.git", "branch": "main"}

JOB = "- job:\n    name: a\n"


def definitions(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir(exist_ok=True)
    (folder / "job-builder.ini").write_text(INI)
    (folder / "defaults.yaml").write_text(DEFAULTS)
    (folder / "x.yaml").write_text(text)
    return folder


def rendered(tmp_path: Path, text: str) -> JobSet:
    return jobs.render(definitions(tmp_path, text), VARIABLES, PLUGINS)


def kept(xml: str) -> str:
    """The description as Jenkins hands it out again."""
    found = re.search(r"<description>(.*?)</description>", xml, re.DOTALL)
    assert found is not None
    return found[1]


def listed(jobset: JobSet, **changed: dict[str, object]) -> dict[str, object]:
    """The bulk query's answer for a server that has exactly this set, with some fields changed or a job left out."""
    items = [
        {"fullName": name, "description": kept(xml), "color": "blue"} | changed.get(name, {})
        for name, xml in jobset.jobs.items()
    ]
    views = [{"name": name, "description": kept(xml)} for name, xml in jobset.views.items()]
    return {"_class": "hudson.model.Hudson", "jobs": items, "views": [{"name": "all", "description": None}, *views]}


def keeps(jenkins_server, *names: str) -> None:
    """Hand out whole what was sent, as a server with all plugins does in meaning."""
    for name in names:
        parent, _, short = name.rpartition("/")
        created = f"POST {make_job_path(parent) if parent else ''}createItem {short}"
        altered = f"POST {make_job_path(name)}config.xml"

        def answer(_: object, created: str = created, altered: str = altered) -> tuple[int, dict[str, str], str]:
            return 200, {}, jenkins_server.bodies.get(altered) or jenkins_server.bodies[created]

        jenkins_server.answers["GET", f"{make_job_path(name)}config.xml"] = answer
