"""The emulator runs a limited number of Pipelines at once: others wait in the queue, and none waits for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.own_process

WAITS = "input 'go on?'"


@pytest.fixture
def narrow(fresh: Any, connect: Callable[[Any], Any]) -> Iterator[Any]:
    """An emulator that runs one Pipeline at once."""
    fresh.arguments.append("-Djenkins.emulator.pipelines=1")
    fresh.start()
    yield connect(fresh)


def read_reasons(server: Any) -> list[str]:
    return [str(item["why"]) for item in server.get("queue/api/json").json()["items"]]


def test_a_pipeline_above_the_limit_waits_in_the_queue_until_another_ends(
    narrow: Any, pipeline: Callable[[str], str]
) -> None:
    for job in ("first", "second"):
        narrow.create("", job, pipeline(WAITS if job == "first" else "echo 'x'"))
    number = narrow.begin("first")

    narrow.client.build_job("second")
    narrow.until(lambda: any("the emulator runs 1 Pipeline at once" in why for why in read_reasons(narrow)))
    assert [] == narrow.client.get_job_info("second")["builds"]

    narrow.post(f"job/first/{number}/stop")
    narrow.until(lambda: narrow.client.get_job_info("second")["builds"])
    assert "SUCCESS" == narrow.finish("second", 1)[0]["result"]


def test_a_pipeline_that_waits_for_others_does_not_keep_them_in_the_queue(
    narrow: Any, pipeline: Callable[[str], str]
) -> None:
    narrow.create("", "last", pipeline("echo 'x'"))
    narrow.create("", "middle", pipeline("build 'last'"))
    narrow.create("", "top", pipeline("build 'middle'"))

    build, log = narrow.run("top")

    assert "SUCCESS" == build["result"], log


def test_freestyle_builds_have_executors_and_no_such_limit(
    narrow: Any, pipeline: Callable[[str], str], freestyle: Callable[..., str]
) -> None:
    narrow.create("", "waits", pipeline(WAITS))
    narrow.create("", "free", freestyle("true"))
    number = narrow.begin("waits")

    assert "SUCCESS" == narrow.run("free")[0]["result"]

    narrow.post(f"job/waits/{number}/stop")
