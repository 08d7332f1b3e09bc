"""Where Jenkins comes from: the files that `jenkins.lock.yaml` names, downloaded and verified, or the emulator instead.

It decides which versions belong together, and why a file is trusted: by the checksum in the lock; while the lock has none, by a
signature (docs/operations.md, "Which Jenkins"). A file with wrong content is always an error. Where the source does not answer,
the environment file decides between an error and the emulator. It does not know how the files reach a machine.
Imported by: cli.commands, context, doctor, importing, preconditions.
"""

from bootstrap.jenkins.distribution.lock import Lock, load_lock
from bootstrap.jenkins.distribution.resolve import Distribution, resolve

__all__ = ["Distribution", "Lock", "load_lock", "resolve"]
