"""The journal keeps whole lines only, for its owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.aws.persistence import journal as journal_module
from bootstrap.local.aws.persistence.journal import Journal


def test_records_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state" / "journal")
    for number in range(3):
        journal.append({"n": number})
    journal.close()
    assert [{"n": 0}, {"n": 1}, {"n": 2}] == list(Journal(tmp_path / "state" / "journal").read_records())


def test_an_incomplete_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    first = Journal(path)
    first.append({"n": 1})
    first.close()
    with path.open("ab") as out:
        out.write(b'{"n": 2')
    journal = Journal(path)
    journal.append({"n": 3})
    assert [{"n": 1}, {"n": 3}] == list(journal.read_records())


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "state" / "journal").append({"secret": 1})
    assert 0o600 == stat.S_IMODE((tmp_path / "state" / "journal").stat().st_mode)
    assert 0o700 == stat.S_IMODE((tmp_path / "state").stat().st_mode)


def test_second_process_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "PATIENCE_SECONDS", 0.0)
    first = Journal(tmp_path / "journal")
    with pytest.raises(LocalCloudFailed, match="another process uses it"):
        Journal(tmp_path / "journal")
    first.close()


def test_removed_journal_is_noticed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert journal.exists()
    (tmp_path / "journal").unlink()
    assert not journal.exists()
