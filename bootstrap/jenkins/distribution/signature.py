"""The OpenPGP signature of the core, against the one key that is believed.

gpg works in a home of its own, which ends with the check; the operator's keyrings are neither read nor changed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from bootstrap import wording
from bootstrap.errors import DistributionFailed, Missing

_SECONDS = 120
_BAD = ("BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY")


def verify(file: Path, signature: bytes, key: bytes, fingerprint: str) -> None:
    """Return when `signature` is a good one of `file` by the key of exactly that fingerprint; DistributionFailed otherwise."""
    if shutil.which("gpg") is None:
        raise Missing(
            "checking the signature of Jenkins",
            "gpg is not installed",
            f"{wording.advise_installation('gnupg')}; or write the checksum into the lock.",
        )
    with tempfile.TemporaryDirectory(prefix="gnupg-") as folder:
        home = Path(folder)
        (home / "key").write_bytes(key)
        (home / "signature").write_bytes(signature)
        _gpg(home, "--import", str(home / "key"))
        known = _fingerprints(_gpg(home, "--with-colons", "--list-keys"))
        if known != {fingerprint}:
            found = ", ".join(sorted(known)) or "no key at all"
            raise _refused(file, f"the source's key is {found}, not {fingerprint}")
        status = _gpg(home, "--status-fd", "1", "--verify", str(home / "signature"), str(file))
    fault = _fault(status, fingerprint)
    if fault:
        raise _refused(file, fault)


def _gpg(home: Path, *arguments: str) -> str:
    """gpg's standard output; its exit code is not asked, for the status lines say more exactly what it found."""
    command = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--no-autostart", "--quiet", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DistributionFailed("checking the signature of Jenkins", "gpg did not end", "Try again.") from error
    return done.stdout.decode(errors="replace")


def _fingerprints(listing: str) -> set[str]:
    """The primary keys' fingerprints: the record 'fpr' that follows a record 'pub'; those of subkeys follow a 'sub'."""
    found, above = set(), ""
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] == "fpr" and above == "pub":
            found.add(fields[9])
        if fields[0] in {"pub", "sub"}:
            above = fields[0]
    return found


def _fault(status: str, fingerprint: str) -> str:
    """What is wrong with the signature, by gpg's status lines; empty when it is good. (doc/DETAILS of GnuPG.)"""
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:]")]
    bad = [line[0] for line in lines if line and line[0] in _BAD]
    if bad:
        return f"gpg says {', '.join(bad)}"
    # The last field of VALIDSIG is the primary key's fingerprint, whichever subkey signed.
    if not any(line[0] == "GOODSIG" for line in lines if line):
        return "gpg finds no good signature"
    if not any(line[0] == "VALIDSIG" and line[-1] == fingerprint for line in lines if line):
        return f"it was not signed by {fingerprint}"
    return ""


def _refused(file: Path, found: str) -> DistributionFailed:
    return DistributionFailed(
        f"checking the signature of {file.name}",
        found,
        "Do not use this file. If Jenkins has a new signing key, compare its fingerprint with the one that Jenkins "
        "announces and change it in jenkins.lock.yaml.",
    )
