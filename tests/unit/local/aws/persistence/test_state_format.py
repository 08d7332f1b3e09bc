"""A state of another format, or of another moto, is refused with a remedy, and it is not changed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.aws.persistence import state_format


def test_a_new_state_gets_the_format_and_is_accepted_again(tmp_path: Path) -> None:
    state_format.ensure_format(tmp_path)
    state_format.ensure_format(tmp_path)
    path = tmp_path / "format.json"
    assert state_format.FORMAT == json.loads(path.read_text())["format"]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps({"format": 99, "moto": "5.2.5"}), "format 99, moto 5.2.5"),
        (json.dumps({"format": state_format.FORMAT, "moto": "4.0.0"}), "moto 4.0.0"),
        ("torn", "format unknown, moto unknown"),
    ],
)
def test_state_of_another_version_is_refused_with_a_remedy(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "format.json"
    path.write_text(text)
    with pytest.raises(LocalCloudFailed, match=words) as caught:
        state_format.ensure_format(tmp_path)
    assert "launch anew" in caught.value.remedy
    assert text == path.read_text()
