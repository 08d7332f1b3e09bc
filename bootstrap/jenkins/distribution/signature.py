"""Verifies the OpenPGP signature of the core with the one pinned key.

gpg uses a temporary home, which is deleted after the check; the keyrings of the user are neither read nor changed.
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
    """Check that `signature` is a good signature of `file` by `key`, whose fingerprint must be `fingerprint`.

    Raises DistributionFailed if it is not, and Missing if gpg is not installed.
    """
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
        _run_gpg(home, "--import", str(home / "key"))
        known = _read_fingerprints(_run_gpg(home, "--with-colons", "--list-keys"))
        if known != {fingerprint}:
            listed = ", ".join(sorted(known)) or "no key at all"
            raise _make_refusal(file, f"the source's key is {listed}, not {fingerprint}")
        status = _run_gpg(home, "--status-fd", "1", "--verify", str(home / "signature"), str(file))
    fault = _find_fault(status, fingerprint)
    if fault:
        raise _make_refusal(file, fault)


def _run_gpg(home: Path, *arguments: str) -> str:
    """gpg's standard output; the exit code is not used, because the status lines are more exact."""
    command = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--no-autostart", "--quiet", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise DistributionFailed("checking the signature of Jenkins", "gpg did not end", "Try again.") from error
    return done.stdout.decode(errors="replace")


def _read_fingerprints(listing: str) -> set[str]:
    """The fingerprints of the primary keys: the record 'fpr' after a record 'pub' (after 'sub', it is that of a subkey)."""
    fingerprints, kind = set(), ""
    for line in listing.splitlines():
        fields = line.split(":")
        if fields[0] == "fpr" and kind == "pub":
            fingerprints.add(fields[9])
        if fields[0] in {"pub", "sub"}:
            kind = fields[0]
    return fingerprints


def _find_fault(status: str, fingerprint: str) -> str:
    """What is wrong with the signature, by gpg's status lines (doc/DETAILS of GnuPG); '' if it is good."""
    lines = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:]")]
    bad = [line[0] for line in lines if line and line[0] in _BAD]
    if bad:
        return f"gpg says {', '.join(bad)}"
    # The last field of VALIDSIG is the fingerprint of the primary key, also if a subkey signed.
    if not any(line[0] == "GOODSIG" for line in lines if line):
        return "gpg finds no good signature"
    if not any(line[0] == "VALIDSIG" and line[-1] == fingerprint for line in lines if line):
        return f"it was not signed by {fingerprint}"
    return ""


def _make_refusal(file: Path, reason: str) -> DistributionFailed:
    return DistributionFailed(
        f"checking the signature of {file.name}",
        reason,
        "Do not use this file. If Jenkins has a new signing key, compare its fingerprint with the one that Jenkins "
        "announces and change it in jenkins.lock.yaml.",
    )
