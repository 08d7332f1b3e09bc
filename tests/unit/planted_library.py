"""The smallest shared library that the dynamic loader takes: it holds nothing and needs what it is told to need."""

import struct
import sys
from pathlib import Path

_HEADER, _SEGMENT, _ENTRY = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ", "<QQ"
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT = 1, 4, 5, 6, 10, 11


def shared_library(*needs: str) -> bytes:
    """A library for this machine that needs the named ones."""
    machine = struct.unpack_from("<H", Path(sys.executable).resolve().read_bytes()[:20], 18)[0]
    names = b"\0" + b"".join(name.encode() + b"\0" for name in needs)
    offsets = [names.index(b"\0" + name.encode() + b"\0") + 1 for name in needs]
    dynamic_at = struct.calcsize(_HEADER) + 2 * struct.calcsize(_SEGMENT)
    dynamic_size = (len(needs) + 6) * struct.calcsize(_ENTRY)
    symbols_at = dynamic_at + dynamic_size
    hash_at = symbols_at + 24
    names_at = hash_at + 16
    size = names_at + len(names)
    entries = [(_NEEDED, offset) for offset in offsets]
    entries += [
        (_HASH, hash_at),
        (_STRTAB, names_at),
        (_SYMTAB, symbols_at),
        (_STRSZ, len(names)),
        (_SYMENT, 24),
        (0, 0),
    ]
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    parts = [
        struct.pack(_HEADER, identity, 3, machine, 1, 0, struct.calcsize(_HEADER), 0, 0, 64, 56, 2, 0, 0, 0),
        struct.pack(_SEGMENT, _LOAD, 6, 0, 0, 0, size, size, 0x1000),
        struct.pack(_SEGMENT, _DYNAMIC, 6, dynamic_at, dynamic_at, dynamic_at, dynamic_size, dynamic_size, 8),
        *(struct.pack(_ENTRY, *entry) for entry in entries),
        bytes(24),  # the symbol that every table begins with
        struct.pack("<IIII", 1, 1, 0, 0),  # a hash table of one empty bucket
        names,
    ]
    return b"".join(parts)
