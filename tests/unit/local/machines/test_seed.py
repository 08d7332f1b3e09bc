"""What cloud-init reads at a machine's first boot."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from bootstrap.local.machines.seed import InstanceSpec, make_seed_files, write_seed

SPEC = InstanceSpec(
    instance_id="i-0abc",
    private_ip="10.77.0.5",
    subnet_id="subnet-0abc",
    subnet_cidr="10.77.0.0/24",
    image_id="ami-0abc",
    user_data=b"#!/bin/sh\n\xff\x00 any bytes\n",
    public_key="ssh-ed25519 AAAA jenkins\n",
)


def test_metadata_names_the_instance_its_host_name_and_its_key() -> None:
    assert json.loads(make_seed_files(SPEC)["meta-data"]) == {
        "instance-id": "i-0abc",
        "local-hostname": "ip-10-77-0-5",
        "public-keys": ["ssh-ed25519 AAAA jenkins"],
    }


def test_instance_without_a_key_pair_has_no_keys() -> None:
    assert "public-keys" not in json.loads(make_seed_files(replace(SPEC, public_key=None))["meta-data"])


def test_user_data_is_kept_byte_for_byte() -> None:
    assert make_seed_files(SPEC)["user-data"] == SPEC.user_data


def test_seed_is_for_root_only_and_can_be_written_again(tmp_path: Path) -> None:
    write_seed(SPEC, tmp_path / "seed", os.getuid())
    write_seed(replace(SPEC, user_data=b"again"), tmp_path / "seed", os.getuid())
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "seed").iterdir()}
    assert modes == {"meta-data": "0o600", "user-data": "0o600"}
    assert (tmp_path / "seed" / "user-data").read_bytes() == b"again"


def test_link_in_a_place_of_the_seed_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "user-data").write_bytes(b"kept")
    (tmp_path / "seed").symlink_to(outside)
    write_seed(SPEC, tmp_path / "seed", os.getuid())
    assert not (tmp_path / "seed").is_symlink()
    (tmp_path / "seed" / "user-data").unlink()
    (tmp_path / "seed" / "user-data").symlink_to(outside / "user-data")
    write_seed(SPEC, tmp_path / "seed", os.getuid())
    assert (tmp_path / "seed" / "user-data").read_bytes() == SPEC.user_data
    assert (outside / "user-data").read_bytes() == b"kept"
