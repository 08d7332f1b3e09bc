"""What the local cloud tells of its packet filter, as people read it; a cloud that tells nothing is left alone."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.doctor import this_machine
from bootstrap.doctor.findings import Health
from bootstrap.runs.journal import start
from bootstrap.views import enforcement

ANSWERS: dict[str, Any] = {}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers for one path."""

    def do_GET(self) -> None:
        self._answer(ANSWERS)

    def do_POST(self) -> None:
        self._answer(ANSWERS | {"problems": [f"after {self.command}: {it}" for it in ANSWERS["problems"]]})

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200 if self.path == "/_bootstrap/enforcement" and ANSWERS else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    ANSWERS.clear()


def test_on_aws_and_on_another_cloud_nothing_is_told(endpoint: str) -> None:
    assert enforcement.read_enforcement(None) is None
    assert enforcement.read_enforcement(endpoint) is None
    assert enforcement.read_enforcement("http://127.0.0.1:1") is None


def test_rules_of_all_regions_are_counted(endpoint: str) -> None:
    ANSWERS.update(regions={"eu-central-1": 40, "eu-west-1": 2}, problems=[])

    found = enforcement.read_enforcement(endpoint)

    assert str(found) == "enforced between machines by nftables, 42 rules"
    assert this_machine.check_rules(endpoint).health == Health.GOOD


def test_before_the_first_machine_there_is_nothing_to_hold(endpoint: str) -> None:
    ANSWERS.update(regions={}, problems=[])

    assert str(enforcement.read_enforcement(endpoint)) == "no machines yet, so no rules are enforced"


def test_problems_are_said_aloud_and_set_right_first(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ANSWERS.update(regions={"eu-central-1": 40}, problems=["nft failed"])

    enforcement.report_enforcement(endpoint, "token", start(tmp_path, as_json=False, is_verbose=False))

    assert "the network's rules are not enforced: after POST: nft failed" in capsys.readouterr().out
    line = this_machine.check_rules(endpoint)
    assert (line.health, line.found) == (Health.WARNING, "nft failed")


@pytest.mark.parametrize(("setting", "health"), [("1\n", Health.GOOD), ("0\n", Health.WARNING), (None, Health.WARNING)])
def test_before_the_cloud_runs_doctor_looks_at_the_kernel(tmp_path: Path, setting: str | None, health: Health) -> None:
    path = tmp_path / "setting"
    if setting is not None:
        path.write_text(setting)

    assert this_machine.check_rules(None, path).health == health
