"""A call that waits too long for the lock fails with the name of the call that holds it; a hung call can be found."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.server.moto_lock import Busy, MotoLock


def test_the_holder_may_take_the_lock_again_and_other_calls_fail() -> None:
    lock, inside, over = MotoLock(), threading.Event(), threading.Event()

    def take_twice() -> None:
        with lock.hold("ec2 RunInstances"), lock.hold("sts AssumeRole"):
            inside.set()
            over.wait(30)

    thread = threading.Thread(target=take_twice)
    thread.start()
    assert inside.wait(30)
    assert ("ec2 RunInstances", "") == (lock.find_hung_call(0.0), lock.find_hung_call(1000.0))
    with pytest.raises(Busy, match="ec2 RunInstances has not ended"), lock.hold("another", patience=0.05):
        pass
    over.set()
    thread.join()
    assert "" == lock.find_hung_call(0.0)
    with lock.hold("another", patience=0.05):
        assert "another" == lock.find_hung_call(-1.0)
