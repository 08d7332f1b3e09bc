"""A profile is written beside others, renewed, and never in the place of one for AWS itself."""

from __future__ import annotations

import stat
from pathlib import Path

import boto3
import pytest

from bootstrap.cloud import profiles
from bootstrap.errors import UsageError

VARIABLES = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4000",
    "AWS_ACCESS_KEY_ID": "AKIAFIRST",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
}
CONFIG = (
    "[default]\nregion = us-east-1\n\n# work's\n[profile work]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/x"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text(CONFIG)
    return tmp_path


def test_a_profile_is_read_by_boto_and_others_stay(home: Path) -> None:
    profiles.write("local", VARIABLES)
    profiles.write(
        "local", {**VARIABLES, "AWS_ACCESS_KEY_ID": "AKIASECOND", "AWS_ENDPOINT_URL": "http://127.0.0.1:4001"}
    )
    session = boto3.Session(profile_name="local")
    keys = session.get_credentials()
    assert ("AKIASECOND", "eu-central-1") == (keys.access_key, session.region_name)
    assert "http://127.0.0.1:4001" == session.client("sts").meta.endpoint_url
    text = (home / ".aws/config").read_text()
    assert text.startswith(CONFIG)
    assert 1 == text.count("[profile local]")
    for name in ("config", "credentials"):
        assert 0o600 == stat.S_IMODE((home / ".aws" / name).stat().st_mode)


def test_a_read_only_file_is_refused(home: Path) -> None:
    """For root, too, and although a file beside it could take its place."""
    (home / ".aws/config").chmod(0o444)
    with pytest.raises(UsageError, match=r"writing the profile 'local': .*config is read-only .mode 0444"):
        profiles.write("local", VARIABLES)
    assert (CONFIG, ["config"]) == ((home / ".aws/config").read_text(), [it.name for it in (home / ".aws").iterdir()])


@pytest.mark.parametrize("name", ["work", "default", "a b", "x]\n[default", ""])
def test_a_name_that_is_taken_or_none_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError):
        profiles.write(name, VARIABLES)
    assert CONFIG == (home / ".aws/config").read_text()
