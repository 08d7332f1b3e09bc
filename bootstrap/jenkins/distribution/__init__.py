"""Where Jenkins comes from: the files that `jenkins.lock.yaml` names, had from a source and proved, or the stand-in.

    lock.py       what the lock says, and writing into it what was proved
    needs.py      whether the lock is a set that starts, by the table of needs beside it; versions.py compares as Jenkins does
    sources.py    the three places that have the files: the official site, a mirror of it, a folder
    transfer.py   downloads that are resumed, and kept by their SHA-256
    signature.py  the OpenPGP signature of the core, against the one key that is believed
    metadata.py   the update center's list of plugin versions, and its signature
    presence.py   what a source has, before anything is loaded from it
    plugins.py    what a plugin file says of itself, against the lock and against its neighbours

A file is trusted for one of two reasons: it has the SHA-256 that the lock holds, or, while the lock holds none, the core
carries a good signature of the pinned key and a plugin has the sum of the update center's list, which is signed by an
authority that the core carries. A mirror or a folder may have a list without a signature; then who keeps it vouches for the
plugins, and a launch says so. What was proved in the second way is written into the lock. Where the source does not answer,
the environment decides between a failure and the emulator; a file that is not what it should be is a failure always.
"""

from bootstrap.jenkins.distribution.lock import Lock, load_lock
from bootstrap.jenkins.distribution.resolve import Distribution, resolve

__all__ = ["Distribution", "Lock", "load_lock", "resolve"]
