"""Who waits too long for the lock is told what holds it, and health is told of a call that does not end."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.server.moto_lock import Busy, Turn


def test_the_holder_may_take_it_again_and_others_wait_in_vain() -> None:
    turn, inside, over = Turn(), threading.Event(), threading.Event()

    def hold() -> None:
        with turn.held("ec2 RunInstances"), turn.held("sts AssumeRole"):
            inside.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    assert ("ec2 RunInstances", "") == (turn.stuck(0.0), turn.stuck(1000.0))
    with pytest.raises(Busy, match="ec2 RunInstances has not ended"), turn.held("another", patience=0.05):
        pass
    over.set()
    thread.join()
    assert "" == turn.stuck(0.0)
    with turn.held("another", patience=0.05):
        assert "another" == turn.stuck(-1.0)
