"""The user and group ids that an environment's machines have on this machine: 65536 of them, which nobody else has.

Root in a machine is the first of them, so it owns nothing here but what belongs to the environment's machines. The range is
noted in the environment's folder, and for all environments of this machine in one register. An environment that is deleted
gives its range back: its folder is no longer there. Ranges begin at multiples of 65536, so the last 16 bits of an id here are
the id inside.
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
# Above what useradd (600100000), sssd (2000200000) and systemd-nspawn (1879048191) give out, below systemd's foreign ids.
FIRST, LAST = 0x78000000, 0x7FFD0000
REGISTER = Path("/var/lib/bootstrap-local-cloud/ids")
SUBORDINATE = (Path("/etc/subuid"), Path("/etc/subgid"))
NOTE = "ids"

InUse = Callable[[], Iterable[int]]


def own_range(state: Path, in_use: InUse, register: Path = REGISTER, subordinate: Iterable[Path] = SUBORDINATE) -> int:
    """The first id of the environment whose folder is `state`; chosen at the first call, the same ever after.

    `in_use` tells the first ids of the containers that exist, whose environment's folder may be gone.
    """
    with _opened(register) as (taken, write):
        owners = {first: owner for first, owner in taken.items() if owner == str(state) or Path(owner).exists()}
        noted = _noted(state)
        if noted is not None and owners.get(noted, str(state)) == str(state):
            first = noted
        else:
            mine = [each for each, owner in owners.items() if owner == str(state)]
            first = mine[0] if mine else _free({*owners, *in_use()}, list(_given_out(subordinate)))
        write({each: owner for each, owner in owners.items() if owner != str(state)} | {first: str(state)})
        (state / NOTE).write_text(f"{first}\n", encoding="ascii")
    return first


def inside(identity: int, first: int) -> int:
    """The id of a range that stands for an id of a machine, or for an id of a former range: it keeps its last 16 bits."""
    return first | identity % WIDTH


def _noted(state: Path) -> int | None:
    try:
        first = int((state / NOTE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return first if FIRST <= first <= LAST and first % WIDTH == 0 else None


def _free(taken: set[int], given_out: list[range]) -> int:
    for first in range(FIRST, LAST + 1, WIDTH):
        if first not in taken and not any(each.start < first + WIDTH and first < each.stop for each in given_out):
            return first
    raise LocalCloudFailed(
        "choosing the user ids of the environment's machines",
        f"all ranges of {WIDTH} ids between {FIRST} and {LAST} are taken",
        f"Destroy environments that you do not need any more; {REGISTER} names them.",
    )


def _given_out(files: Iterable[Path]) -> Iterator[range]:
    """What this machine's administrator gives to users for their own containers (subuid(5))."""
    for file in files:
        for line in file.read_text(errors="replace").splitlines() if file.exists() else ():
            _, _, numbers = line.partition(":")
            begin, _, count = numbers.partition(":")
            if begin.isdigit() and count.isdigit():
                yield range(int(begin), int(begin) + int(count))


@contextmanager
def _opened(register: Path) -> Iterator[tuple[dict[int, str], Callable[[dict[int, str]], None]]]:
    """The register, first id to folder, and what writes it; no other process has it meanwhile."""
    register.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(register.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            taken = {int(first): str(owner) for first, owner in json.loads(register.read_text()).items()}
        except FileNotFoundError:
            taken = {}
        except (ValueError, AttributeError) as error:
            remedy = f"Remove {register}: it is made again from the folders of the environments, as they are used."
            raise LocalCloudFailed(f"reading {register}", f"it cannot be read: {error}", remedy) from None

        def write(now: dict[int, str]) -> None:
            written = register.with_suffix(".new")
            written.write_text(json.dumps(now, indent=1) + "\n")
            written.replace(register)

        yield taken, write
    finally:
        os.close(handle)
