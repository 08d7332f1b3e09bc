"""Restricts a program that parses untrusted Groovy: it reaches Java, Groovy and its pipes, and no file of the service.

The program has the user of the service. So a kernel with Landlock is told to let it open nothing else, write nothing, reach
no TCP port and look into no process but its own. A kernel without Landlock leaves the limits and the empty environment.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

# Java reads these: its own files, the loader's, the time zone's, what the machine has of memory and processors.
SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone"),
    *("/etc/passwd", "/etc/nsswitch.conf", "/proc", "/sys/devices/system/cpu", "/sys/fs/cgroup"),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
)
PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # by the version of Landlock
_TCP_VERSION, _TCP = 4, 0b11
_SCOPES_VERSION, _SCOPES = 6, 0b11  # abstract sockets, signals
_SET_NO_NEW_PRIVILEGES, _SET_SECURE_BITS = 38, 28
_NO_ROOT = 0b11  # and locked: a program that root starts has no capability
_LIBC = ctypes.CDLL(None, use_errno=True)


def scrub_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of such a program: locale and time zone, and no variable of the service."""
    return {"PATH": "/usr/bin:/bin", **{name: variables[name] for name in PASSED_ON if name in variables}}


def read_landlock_version() -> int:
    """The kernel's version of Landlock; 0 where it has none."""
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))))


@contextlib.contextmanager
def open_confinement(readable: Iterable[Path]) -> Iterator[Callable[[], None]]:
    """The function that a new process calls before it executes the program, which then may read SYSTEM and these paths only."""
    rules = _make_rules([*map(Path, SYSTEM), *readable]) if read_landlock_version() else None

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        if _LIBC.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "no_new_privs")
        if os.geteuid() == 0 and _LIBC.prctl(_SET_SECURE_BITS, _NO_ROOT, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "secure bits")
        if rules is not None and _LIBC.syscall(_RESTRICT_SELF, rules, ctypes.c_uint(0)):
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")

    try:
        yield confine
    finally:
        if rules is not None:
            os.close(rules)


def _make_rules(readable: Iterable[Path]) -> int:
    version = read_landlock_version()
    files = next(rights for since, rights in sorted(_FILE_RIGHTS.items(), reverse=True) if since <= version)
    handled = struct.pack("=Q", files)
    if version >= _TCP_VERSION:
        handled += struct.pack("=Q", _TCP)
    if version >= _SCOPES_VERSION:
        handled += struct.pack("=Q", _SCOPES)
    rules = int(_LIBC.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), ctypes.c_uint(0)))
    if rules < 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses to make the rules that confine Groovy")
    for path in readable:
        with contextlib.suppress(FileNotFoundError):
            _permit(rules, path)
    return rules


def _permit(rules: int, path: Path) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rights = _EXECUTE | _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = struct.pack("=Qi", rights, opened)
        if _LIBC.syscall(_ADD_RULE, rules, ctypes.c_int(1), rule, ctypes.c_uint(0)):
            raise OSError(ctypes.get_errno(), f"the kernel refuses the rule that lets Groovy read {path}")
    finally:
        os.close(opened)
