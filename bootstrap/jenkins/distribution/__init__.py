"""Where Jenkins comes from: the files that `jenkins.lock.yaml` names, downloaded and verified, or the emulator instead.

    lock.py       reads the lock
    needs.py      checks that every plugin's dependencies are in the lock, by jenkins.needs.yaml; versions.py compares versions
    lock_files.py writes the lock and jenkins.needs.yaml, in which people also write
    relock.py     makes the lock from the requested plugins; solve.py finds the set, releases.py reads the list for it
    core_choice.py moves the lock to another core
    lock_changes.py lists what that changes
    sources.py    the three kinds of source: the official site, a mirror of it, a folder
    transfer.py   downloads that are resumed, and kept by their SHA-256
    stream.py     reads what a server sends, within limits of size, time and rate
    signature.py  the OpenPGP signature of the core, against the one pinned key
    metadata.py   the update center's list of plugin versions, and its signature
    update_center.py  what the update center offers now: newest versions, deprecated plugins, security warnings
    presence.py   which files a source has, before anything is downloaded from it
    plugins.py    compares the manifest of a plugin file with the lock and with the other plugins

A file is trusted for one of two reasons. Either it has the SHA-256 that the lock holds. Or, while the lock holds none, the core
has a good signature of the pinned key, and a plugin has the checksum of the update center's list, which is signed by an
authority that the core contains. The list of a mirror or a folder may lack a signature: then the plugins are only as
trustworthy as that source, and a launch prints a notice. The checksums of files that were verified in the second way are
written into the lock. Where the source does not answer, the environment file decides between an error and the emulator; a file
with wrong content is always an error.

The context, the preconditions and the doctor import it.
"""

from bootstrap.jenkins.distribution.lock import Lock, load_lock
from bootstrap.jenkins.distribution.resolve import Distribution, resolve

__all__ = ["Distribution", "Lock", "load_lock", "resolve"]
