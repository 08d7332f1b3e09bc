"""The machine image's recipe, without building it."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

from bootstrap.local.machines import image, image_content
from bootstrap.local.machines.image import compute_digest, format_apt_configuration, make_mmdebstrap_command, write_tree
from bootstrap.local.machines.sources import Source

ENTRIES = [
    Source(("http://mirror.example/debian",), ("trixie",), ("main",), "/usr/share/keyrings/debian-archive-keyring.gpg")
]


def test_image_changes_with_what_goes_into_it_and_not_otherwise() -> None:
    other = [Source(("http://second.example/debian",), ("trixie",), ("main",))]
    assert compute_digest(ENTRIES, {}) == compute_digest(list(ENTRIES), {})
    assert (
        len(
            {
                compute_digest(ENTRIES, {}),
                compute_digest(other, {}),
                compute_digest(ENTRIES, {"Acquire::http::Proxy": "http://p:1"}),
            }
        )
        == 3
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ""),
        ({"Acquire::http::Proxy": "http://proxy.example:3128"}, 'Acquire::http::Proxy "http://proxy.example:3128";\n'),
        ({"Acquire::http::Proxy": "http://127.0.0.1:3142"}, ""),
        (
            {"Acquire::http::Proxy": "http://localhost:3142", "Acquire::Check-Date": "false"},
            'Acquire::Check-Date "false";\n',
        ),
    ],
)
def test_machine_gets_the_operators_apt_settings_that_it_can_use(settings: dict[str, str], expected: str) -> None:
    assert format_apt_configuration(settings) == expected


def test_mmdebstrap_takes_sources_from_its_input_and_never_its_own_default() -> None:
    command = make_mmdebstrap_command(ENTRIES, {"Acquire::Check-Date": "false"}, Path("/tree"), Path("/root.tar"))
    assert command[-3:] == ["trixie", "/root.tar", "-"]
    assert '--aptopt=Acquire::Check-Date "false"' in command
    assert "--customize-hook=sync-in /tree /" in command
    assert not [word for word in command if "://" in word]


def test_keyring_of_a_company_lies_where_its_entry_says(tmp_path: Path) -> None:
    keyring = tmp_path / "company.gpg"
    keyring.write_bytes(b"key")
    entry = Source(("http://m.example",), ("trixie",), ("main",), str(keyring))
    write_tree(tmp_path / "tree", [entry], {})
    assert (tmp_path / "tree" / str(keyring).lstrip("/")).read_bytes() == b"key"
    assert (tmp_path / "tree/etc/apt/sources.list.d/debian.sources").read_text() == entry.format_text()


def test_cloud_init_logs_in_debians_ec2_user_and_asks_no_network() -> None:
    config = yaml.safe_load(image_content.CLOUD_CFG)
    assert config["datasource_list"] == ["NoCloud"]
    assert config["system_info"]["default_user"]["name"] == "admin"
    assert config["system_info"]["default_user"]["lock_passwd"] is True


@pytest.mark.parametrize("path", [path for path in image_content.FILES if "/systemd/" in path])
def test_units_can_be_read_and_name_programs_by_their_path(path: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(image_content.FILES[path])
    assert "Unit" in unit
    programs = [
        line.partition("=")[2] for line in image_content.FILES[path].splitlines() if line.startswith("ExecStart=")
    ]
    assert [program for program in programs if not program.startswith("/")] == []


def test_the_lock_of_an_image_is_roots_alone_and_no_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "bootstrap" / "image.lock"
    monkeypatch.setattr(image, "LOCK", lock)
    with image._hold_image_lock():
        assert lock.stat().st_mode & 0o777 == 0o600
    lock.unlink()
    lock.symlink_to(tmp_path / "made")
    with pytest.raises(OSError, match="symbolic links"), image._hold_image_lock():
        pass
    assert not (tmp_path / "made").exists()


def test_no_lock_lies_where_everybody_may_write() -> None:
    """A folder of mode 1777 lets anybody be first with the file, and hold it for ever."""
    root = Path(__file__).resolve().parents[4]
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in [*(root / "bootstrap").rglob("*.py"), root / "bootstrap.py"]
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"""["'](/run/lock|/var/lock|/tmp|/var/tmp|/dev/shm)/""", line)
    ]
    assert found == []
