"""The first signal of each UniqueId counts, and a replay of the journal restores it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.aws.persistence.journal import Journal
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.signals import Signals


def test_a_signal_counts_once_and_survives_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    signals = Signals(Door(lambda *_: [], journal), lambda: "http://127.0.0.1:1")
    url = signals.make_url("name")
    assert "http://127.0.0.1:1/_bootstrap/signal/name" == url
    for reason in ("first", "second"):
        signals.record("name", {"Status": "SUCCESS", "UniqueId": "1", "Reason": reason, "Data": "d"})
    kept = {"1": {"Status": "SUCCESS", "Reason": "first", "Data": "d"}}
    assert kept == signals.read(url)
    journal.close()
    door = Door(lambda *_: [], Journal(tmp_path / "journal"))
    again = Signals(door, lambda: "http://10.0.0.1:1")
    door.replay()
    assert kept == again.read(url)
    assert {} == again.read("http://127.0.0.1:1/_bootstrap/signal/other")


@pytest.mark.parametrize("signal", [{}, {"Status": "SUCCESS"}, {"Status": "GOOD", "UniqueId": "1"}])
def test_a_wrong_signal_is_refused(tmp_path: Path, signal: dict[str, str]) -> None:
    signals = Signals(Door(lambda *_: [], Journal(tmp_path / "journal")), str)
    with pytest.raises((KeyError, ValueError)):
        signals.record("name", signal)
