"""What waits for an agent that nobody has is found in the queue, with its job and the reason; executors are counted."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.jenkins.controller import waiting

LABEL = "label ‘nobody-has-this’"


@pytest.mark.only_read
def test_builds_that_wait_for_a_label_that_no_node_has_wait_in_vain(
    server: Any, name: str, freestyle: Any, pipeline: Any
) -> None:
    """A job that waits itself, and the part of a Pipeline that does."""
    client, in_parts = server.client, f"{name}-in-parts"
    lonely = freestyle("true", "<assignedNode>nobody-has-this</assignedNode><canRoam>false</canRoam>")
    client.create_job(name, lonely)
    client.create_job(in_parts, pipeline("node('nobody-has-this') { echo 'never' }"))
    try:
        client.build_job(name)
        client.build_job(in_parts)
        server.until(lambda: {name, f"{in_parts} #1"} <= {it.job for it in waiting.read_queue(client) if it.is_in_vain})

        found = {it.job: it for it in waiting.read_queue(client)}
        assert all(LABEL in found[it].reason for it in (name, f"{in_parts} #1"))
        of_a_group = waiting.read_queue(client, ["nobody-has-this"])
        # The queue may hold builds of other tests.
        ours = [it for it in of_a_group if it.job in (name, f"{in_parts} #1")]
        assert not [it for it in ours if it.is_in_vain], "its instance may still come"
    finally:
        for item in client.get_queue_info():
            if item["task"]["name"] == name:
                client.cancel_queue(item["id"])
        client.stop_build(in_parts, 1)
        server.until(lambda: not client.get_build_info(in_parts, 1)["building"])
        client.delete_job(in_parts)


@pytest.mark.only_read
def test_a_build_makes_an_executor_of_its_label_busy(server: Any, name: str, freestyle: Any) -> None:
    def count_busy() -> int:
        return sum(load.busy for load in waiting.read_loads(server.client))

    server.until(lambda: count_busy() == 0)
    server.client.create_job(name, freestyle("sleep 600"))
    server.client.build_job(name)
    server.until(lambda: count_busy() == 1)
    server.client.stop_build(name, 1)
    server.until(lambda: count_busy() == 0)
