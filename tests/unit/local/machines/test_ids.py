"""Which ids an environment's machines have on this machine."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import ids
from bootstrap.local.machines.ids import FIRST, LAST, WIDTH, choose_own_range


def chosen(tmp_path: Path, name: str, *, in_use: tuple[int, ...] = (), subordinate: str = "", count: int = 1) -> int:
    """The range of an environment whose folder has this name."""
    state = tmp_path / name
    state.mkdir(exist_ok=True)
    (tmp_path / "subuid").write_text(subordinate)
    files = (tmp_path / "subuid", tmp_path / "none")
    return choose_own_range(state, lambda: in_use, tmp_path / "register" / "ids", files, count=count)


def test_environment_keeps_its_range_and_shares_it_with_nobody(tmp_path: Path) -> None:
    ranges = [chosen(tmp_path, name) for name in ("one", "two", "three")]
    assert len(set(ranges)) == 3
    assert [chosen(tmp_path, name) for name in ("one", "two", "three")] == ranges
    assert all(first % WIDTH == 0 and FIRST <= first <= LAST for first in ranges)
    assert (tmp_path / "one" / "ids").read_text() == f"{ranges[0]}\n"
    assert stat.S_IMODE((tmp_path / "register").stat().st_mode) == 0o700


def test_wide_range_is_shared_with_nobody(tmp_path: Path) -> None:
    """It holds all ids that useradd gives the first user for containers: 100000 to 165535."""
    assert ids.WIDE * WIDTH > 165535
    first, wide, last = chosen(tmp_path, "one"), chosen(tmp_path, "wide", count=ids.WIDE), chosen(tmp_path, "two")
    assert (wide, last) == (first + WIDTH, first + (1 + ids.WIDE) * WIDTH)
    assert chosen(tmp_path, "wide", count=ids.WIDE) == wide
    (tmp_path / "wide" / "ids").unlink()
    (tmp_path / "wide").rmdir()
    assert [chosen(tmp_path, name) for name in ("a", "b", "c")] == ids.list_ranges(wide, ids.WIDE)


def test_wide_range_leaves_out_gaps_that_are_too_small(tmp_path: Path) -> None:
    taken = (FIRST + 2 * WIDTH, FIRST + 4 * WIDTH)
    assert chosen(tmp_path, "wide", in_use=taken, count=3) == FIRST + 5 * WIDTH
    (tmp_path / "wide" / "ids").unlink()
    (tmp_path / "wide").rmdir()
    assert chosen(tmp_path, "other", subordinate=f"user:{FIRST + 2 * WIDTH}:1\n", count=3) == FIRST + 3 * WIDTH


def test_wide_range_ends_before_the_last_id(tmp_path: Path) -> None:
    but_two = tuple(range(FIRST, LAST - WIDTH, WIDTH))
    with pytest.raises(LocalCloudFailed):
        chosen(tmp_path, "wide", in_use=but_two, count=3)
    assert chosen(tmp_path, "one", in_use=but_two, count=2) == LAST - WIDTH


def test_range_of_a_deleted_environment_is_given_again(tmp_path: Path) -> None:
    first, second = chosen(tmp_path, "one"), chosen(tmp_path, "two")
    (tmp_path / "one" / "ids").unlink()
    (tmp_path / "one").rmdir()
    assert (chosen(tmp_path, "three"), chosen(tmp_path, "two")) == (first, second)


def test_range_of_a_container_is_not_given_though_its_environments_folder_is_gone(tmp_path: Path) -> None:
    assert chosen(tmp_path, "one", in_use=(FIRST, FIRST + WIDTH)) == FIRST + 2 * WIDTH


@pytest.mark.parametrize(
    ("subordinate", "expected"),
    [
        ("user:100000:65536\n", FIRST),
        (f"user:{FIRST}:65536\n", FIRST + WIDTH),
        (f"user:{FIRST - 1}:2\n", FIRST + WIDTH),
        (f"user:{FIRST - 10}:10\n", FIRST),
        (f"user:1000:{FIRST}\nother:{FIRST + WIDTH + 5}:1\n", FIRST + 2 * WIDTH),
        ("nonsense\nuser:x:y\n\n", FIRST),
    ],
)
def test_range_has_nothing_that_users_were_given_for_their_containers(
    tmp_path: Path, subordinate: str, expected: int
) -> None:
    assert chosen(tmp_path, "one", subordinate=subordinate) == expected


def test_copy_of_an_environment_gets_a_range_of_its_own(tmp_path: Path) -> None:
    first = chosen(tmp_path, "one")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "ids").write_text(f"{first}\n")
    assert chosen(tmp_path, "copy") != first
    assert chosen(tmp_path, "one") == first


def test_moved_environment_keeps_its_range(tmp_path: Path) -> None:
    first = chosen(tmp_path, "one")
    (tmp_path / "one").rename(tmp_path / "moved")
    assert chosen(tmp_path, "moved") == first


def test_lost_register_is_made_again_from_the_folders(tmp_path: Path) -> None:
    ranges = [chosen(tmp_path, "one"), chosen(tmp_path, "two")]
    (tmp_path / "register" / "ids").unlink()
    assert [chosen(tmp_path, "two"), chosen(tmp_path, "one")] == ranges[::-1]


@pytest.mark.parametrize("noted", ["0", "1000", str(FIRST + 1), str(LAST + WIDTH), "-65536", "nonsense", ""])
def test_note_that_is_no_range_is_not_believed(tmp_path: Path, noted: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "ids").write_text(noted)
    assert chosen(tmp_path, "one") == FIRST


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"x": "y"}'])
def test_register_that_cannot_be_read_is_told_and_nothing_is_chosen(tmp_path: Path, text: str) -> None:
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "ids").write_text(text)
    with pytest.raises(LocalCloudFailed, match="cannot be read"):
        chosen(tmp_path, "one")
    assert not (tmp_path / "one" / "ids").exists()


def test_no_free_range_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudFailed, match="are taken"):
        chosen(tmp_path, "one", in_use=tuple(range(FIRST, LAST + 1, WIDTH)))


def test_register_says_whose_each_range_is(tmp_path: Path) -> None:
    first = chosen(tmp_path, "one")
    assert json.loads((tmp_path / "register" / "ids").read_text()) == {str(first): str(tmp_path / "one")}


@pytest.mark.parametrize("identity", [0, 1000, 65534, FIRST, FIRST + 5 * WIDTH + 1000])
def test_id_stays_the_same_inside(identity: int) -> None:
    mapped = ids.shift_id(identity, FIRST + WIDTH)
    assert mapped - (FIRST + WIDTH) == identity % WIDTH
    assert ids.shift_id(mapped, FIRST + WIDTH) == mapped
