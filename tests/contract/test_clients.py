"""Unmodified clients: Job Builder, and whatever else a controller's operator runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

JOBS = """
- defaults: {name: global, disabled: false}
- job: {name: 'NAME', project-type: folder}
- job:
    name: 'NAME/free'
    builders: [{shell: 'echo built by code'}]
- job:
    name: 'NAME/pipe'
    project-type: pipeline
    sandbox: true
    dsl: "pipeline {{ agent any }}"
- view: {name: 'NAME-view', view-type: list, regex: 'NAME.*'}
"""


def test_job_builder_makes_jobs_and_a_second_run_sends_nothing(server: Any, name: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(JOBS.replace("NAME", name))
    (tmp_path / "jjb.ini").write_text(f"[jenkins]\nurl={server.url}\nuser={server.user}\npassword={server.password}\n")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONWARNINGS": "ignore"}
    command = [
        str(Path(sys.executable).with_name("jenkins-jobs")),
        "--conf",
        str(tmp_path / "jjb.ini"),
        "update",
        str(tmp_path / "jobs.yaml"),
    ]
    try:
        first = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert first.returncode == 0, first.stderr
        assert "Number of jobs updated: 3" in first.stderr
        assert "Number of views updated: 1" in first.stderr
        second = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert "Number of jobs updated: 0" in second.stderr
        assert server.run(f"{name}/free")[0]["result"] == "SUCCESS"
        assert "Managed by Jenkins Job Builder" in server.client.get_job_config(f"{name}/free")
    finally:
        if server.client.view_exists(f"{name}-view"):
            server.client.delete_view(f"{name}-view")


def test_python_jenkins_finds_its_way_around(server: Any, name: str) -> None:
    client = server.client
    client.create_job(name, "<project/>")
    assert client.get_job_name(name) == name
    assert client.jobs_count() >= 1
    assert client.get_running_builds() == []
    # Other modules share this Jenkins, and may have left builds that wait.
    assert name not in [item["task"]["name"] for item in client.get_queue_info()]
    client.reconfig_job(name, "<project><description>changed</description></project>")
    assert client.get_job_info(name)["description"] == "changed"
    client.delete_job(name)
    assert not client.job_exists(name)


def test_quiet_down_holds_builds_back(server: Any, name: str) -> None:
    server.client.create_job(name, "<project/>")
    server.client.quiet_down()
    try:
        assert server.client.get_info()["quietingDown"] is True
        item = server.client.build_job(name)
        server.until(lambda: server.client.get_queue_item(item)["why"] == "Jenkins is about to shut down")
    finally:
        server.post("cancelQuietDown")
    server.until(lambda: server.client.get_job_info(name)["lastCompletedBuild"])
