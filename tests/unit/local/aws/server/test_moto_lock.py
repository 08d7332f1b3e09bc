"""Who waits too long for the lock is told what holds it, and health is told of a call that does not end."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.server.moto_lock import Busy, MotoLock


def test_the_holder_may_take_it_again_and_others_wait_in_vain() -> None:
    lock, inside, over = MotoLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock.held("ec2 RunInstances"), lock.held("sts AssumeRole"):
            inside.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    assert ("ec2 RunInstances", "") == (lock.stuck(0.0), lock.stuck(1000.0))
    with pytest.raises(Busy, match="ec2 RunInstances has not ended"), lock.held("another", patience=0.05):
        pass
    over.set()
    thread.join()
    assert "" == lock.stuck(0.0)
    with lock.held("another", patience=0.05):
        assert "another" == lock.stuck(-1.0)
