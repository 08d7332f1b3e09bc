"""The user and group ids of an environment's machines on this machine: a range of 65536 ids that nobody else uses.

Root in a machine is the first id of the range, so it owns only files of the environment's machines. The range is written into
the environment's folder, and for all environments of this machine into one register. The range of a deleted environment is free
again, because its folder does not exist. Ranges begin at multiples of 65536, so the last 16 bits of an id on this machine are
the id inside of the machine.

A machine whose user builds containers has a wider range, because useradd gives that user 65536 more ids from 100000 on.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

WIDTH = 0x10000
WIDE = 3
"""How many ranges, one after the other, contain the ids 100000 to 165535 (subuid(5), SUB_UID_MIN in Debian's login.defs)."""

# Above the ids of useradd (600100000), sssd (2000200000) and systemd-nspawn (1879048191), below systemd's foreign ids.
FIRST, LAST = 0x78000000, 0x7FFD0000
REGISTER = Path("/var/lib/bootstrap-local-cloud/ids")
SUBORDINATE = (Path("/etc/subuid"), Path("/etc/subgid"))
NOTE = "ids"

InUse = Callable[[], Iterable[int]]


def choose_own_range(
    state: Path,
    in_use: InUse,
    register: Path = REGISTER,
    subordinate: Iterable[Path] = SUBORDINATE,
    *,
    count: int = 1,
) -> int:
    """The first id of the environment with the folder `state`; chosen at the first call, then always the same.

    `count` is the number of ranges, one after the other; it is always the same for a folder. `in_use` returns the first ids
    of the ranges of existing containers, also of those whose environment's folder was deleted. LocalCloudFailed if no range is
    free, or if the register cannot be read.
    """
    with _open_register(register) as (registered, write):
        owners = {first: owner for first, owner in registered.items() if owner == str(state) or Path(owner).exists()}
        noted_id = _read_note(state)
        if noted_id is not None and owners.get(noted_id, str(state)) == str(state):
            first = noted_id
        else:
            own_ids = [each for each, owner in owners.items() if owner == str(state)]
            first = (
                min(own_ids)
                if own_ids
                else _find_free({*owners, *in_use()}, list(_list_subordinate_ranges(subordinate)), count)
            )
        others = {each: owner for each, owner in owners.items() if owner != str(state)}
        write(others | dict.fromkeys(list_ranges(first, count), str(state)))
        (state / NOTE).write_text(f"{first}\n", encoding="ascii")
    return first


def list_ranges(first: int, count: int) -> list[int]:
    """The first ids of `count` ranges, one after the other."""
    return [first + place * WIDTH for place in range(count)]


def shift_id(identity: int, first: int) -> int:
    """The id in the range from `first` for an id inside of a machine, or of a former range: the last 16 bits are the same."""
    return first | identity % WIDTH


def _read_note(state: Path) -> int | None:
    try:
        first = int((state / NOTE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return first if FIRST <= first <= LAST and first % WIDTH == 0 else None


def _find_free(used: set[int], subordinate_ranges: list[range], count: int) -> int:
    for first in range(FIRST, LAST + 1 - (count - 1) * WIDTH, WIDTH):
        if used.isdisjoint(list_ranges(first, count)) and not any(
            each.start < first + count * WIDTH and first < each.stop for each in subordinate_ranges
        ):
            return first
    raise LocalCloudFailed(
        "choosing the user ids of the environment's machines",
        f"all ranges of {WIDTH} ids between {FIRST} and {LAST} are taken",
        f"Destroy environments that you do not need any more; {REGISTER} names them.",
    )


def _list_subordinate_ranges(files: Iterable[Path]) -> Iterator[range]:
    """The ranges that the administrator of this machine assigned to users for their containers (subuid(5))."""
    for file in files:
        for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
            _, _, numbers = line.partition(":")
            begin, _, count = numbers.partition(":")
            if begin.isdigit() and count.isdigit():
                yield range(int(begin), int(begin) + int(count))


@contextmanager
def _open_register(register: Path) -> Iterator[tuple[dict[int, str], Callable[[dict[int, str]], None]]]:
    """The register (first id to folder) and a function that writes it; it is locked for other processes meanwhile."""
    register.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(register.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            registered = {int(first): str(owner) for first, owner in json.loads(register.read_text()).items()}
        except FileNotFoundError:
            registered = {}
        except (ValueError, AttributeError) as error:
            remedy = f"Remove {register}: it is made again from the folders of the environments, as they are used."
            raise LocalCloudFailed(f"reading {register}", f"it cannot be read: {error}", remedy) from None

        def write(now: dict[int, str]) -> None:
            new_file = register.with_suffix(".new")
            new_file.write_text(json.dumps(now, indent=1) + "\n")
            new_file.replace(register)

        yield registered, write
    finally:
        os.close(handle)
