"""Signals are kept once for each id, and come back with the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.aws.persistence.journal import Journal
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.signals import Signals


def test_signal_counts_once_and_outlives_the_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    signals = Signals(Door(lambda *_: [], journal), lambda: "http://127.0.0.1:1")
    url = signals.handle("name")
    assert "http://127.0.0.1:1/_bootstrap/signal/name" == url
    for reason in ("first", "second"):
        signals.take("name", {"Status": "SUCCESS", "UniqueId": "1", "Reason": reason, "Data": "d"})
    kept = {"1": {"Status": "SUCCESS", "Reason": "first", "Data": "d"}}
    assert kept == signals.of(url)
    journal.close()
    door = Door(lambda *_: [], Journal(tmp_path / "journal"))
    again = Signals(door, lambda: "http://10.0.0.1:1")
    door.replay()
    assert kept == again.of(url)
    assert {} == again.of("http://127.0.0.1:1/_bootstrap/signal/other")


@pytest.mark.parametrize("signal", [{}, {"Status": "SUCCESS"}, {"Status": "GOOD", "UniqueId": "1"}])
def test_what_is_no_signal_is_refused(tmp_path: Path, signal: dict[str, str]) -> None:
    signals = Signals(Door(lambda *_: [], Journal(tmp_path / "journal")), str)
    with pytest.raises((KeyError, ValueError)):
        signals.take("name", signal)
