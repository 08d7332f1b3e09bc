"""What survives the end of the process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.restarted import connect, wait

pytestmark = pytest.mark.own_process


def test_jobs_builds_queue_and_numbers_survive_a_kill(fresh: Any, freestyle: Callable[..., str]) -> None:
    fresh.start()
    client = connect(fresh)
    client.create_folder("team")
    client.create_job("team/job", freestyle("echo kept"))
    client.create_job("slow", freestyle("echo begun; sleep 300"))
    client.build_job("team/job")
    wait(lambda: client.get_job_info("team/job")["lastCompletedBuild"])
    client.build_job("slow")
    wait(lambda: client.get_job_info("slow")["lastBuild"])
    wait(lambda: "begun" in client.get_build_console_output("slow", 1))
    client.build_job("slow")
    session = requests.get(f"{fresh.url}/login").headers["X-Jenkins-Session"]
    fresh.stop(signal.SIGKILL)
    fresh.start()
    client = connect(fresh)
    assert requests.get(f"{fresh.url}/login").headers["X-Jenkins-Session"] != session
    assert client.get_build_info("team/job", 1)["result"] == "SUCCESS"
    assert "kept" in client.get_build_console_output("team/job", 1)
    assert client.get_job_info("team/job")["nextBuildNumber"] == 2
    assert client.get_build_info("slow", 1)["result"] == "FAILURE"
    wait(lambda: (client.get_job_info("slow")["lastBuild"] or {})["number"] == 2)


def test_running_build_is_aborted_by_an_orderly_stop(fresh: Any, freestyle: Callable[..., str]) -> None:
    fresh.start()
    client = connect(fresh)
    client.create_job("slow", freestyle("echo begun; sleep 300"))
    client.build_job("slow")
    wait(lambda: client.get_job_info("slow")["lastBuild"] and "begun" in client.get_build_console_output("slow", 1))
    assert fresh.stop() == 0
    fresh.start()
    assert connect(fresh).get_build_info("slow", 1)["result"] == "ABORTED"


def test_restart_ends_with_five_so_that_the_supervisor_starts_it_again(fresh: Any) -> None:
    fresh.start()
    session = requests.Session()
    session.auth = ("admin", "admin-password")
    crumb = session.get(f"{fresh.url}/crumbIssuer/api/json").json()
    session.post(
        f"{fresh.url}/safeRestart", headers={crumb["crumbRequestField"]: crumb["crumb"]}, allow_redirects=False
    )
    fresh.process.communicate(timeout=20)
    assert fresh.process.returncode == 5


def test_token_survives_and_password_follows_the_secret(fresh: Any) -> None:
    fresh.start()
    session = requests.Session()
    session.auth = ("admin", "admin-password")
    crumb = session.get(f"{fresh.url}/crumbIssuer/api/json").json()
    path = "user/admin/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}
    token = session.post(f"{fresh.url}/{path}", data={"newTokenName": "x"}, headers=headers).json()["data"][
        "tokenValue"
    ]
    fresh.stop()
    (fresh.root / "secrets" / "ADMIN_PASSWORD").write_text("another")
    fresh.start()
    statuses = [
        requests.get(f"{fresh.url}/api/json", auth=("admin", secret)).status_code
        for secret in (token, "admin-password", "another")
    ]
    assert statuses == [200, 401, 200]


def test_supervisor_is_told_when_it_is_ready_and_when_it_stops(fresh: Any, tmp_path: Any) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(20)
        fresh.variables["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        fresh.start()
        assert channel.recv(100) == b"READY=1"
        fresh.stop()
        assert channel.recv(100) == b"STOPPING=1"
