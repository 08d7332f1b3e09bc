"""The update center's list of plugin versions: signed by an authority that the core carries, or not believed."""

import base64
import datetime
import hashlib
import importlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bootstrap.environment.models import JenkinsSettings
from bootstrap.jenkins.distribution import load_lock, metadata, resolve
from bootstrap.jenkins.distribution.metadata import Unproved
from bootstrap.jenkins.distribution.sources import Site, choose
from tests.unit.jenkins.distribution.authority import Authority, encode, make_name
from tests.unit.jenkins.distribution.stand_ins import WAR, Mirror, Recorder, SigningKey, mirrored, refusal


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("right")


@pytest.fixture(scope="module")
def stranger() -> Authority:
    return Authority("stranger")


@pytest.fixture
def signed(mirror: Mirror, key: SigningKey, authority: Authority) -> Mirror:
    """The mirror with a core that carries the authority, and a list that it signed."""
    core = authority.core()
    mirror.files[WAR] = core
    mirror.files[f"{WAR}.sha256"] = f"{hashlib.sha256(core).hexdigest()} jenkins.war\n".encode()
    mirror.files[f"{WAR}.asc"] = key.sign(core)
    listed = json.loads(mirror.files["/plugin-versions.json"]) | {"title": 'Größe </b> \u2028 " / \\ \t'}
    mirror.files["/plugin-versions.json"] = authority.sign(listed)
    return mirror


def _officially(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the mirror be taken for the official site."""

    def chosen(settings: JenkinsSettings, lock: Any) -> Site:
        made = choose(settings, lock)
        assert isinstance(made, Site)
        return Site(made.name, made.war, made.plugins, made.key_url, made.metadata_url, is_official=True)

    # The package gives the module's name to its function.
    monkeypatch.setattr(importlib.import_module("bootstrap.jenkins.distribution.resolve"), "choose", chosen)


def test_a_signed_list_proves_the_checksums_without_a_notice(signed: Mirror, lock: Path, tmp_path: Path) -> None:
    report = Recorder()

    found = resolve(mirrored(signed), load_lock(lock), tmp_path / "cache", report)

    assert {"one", "two"} == found.plugin_files.keys()
    assert [] == [notice for notice in report.notices if "not signed" in notice]
    assert () == load_lock(lock).without_checksum


def test_a_read_only_lock_without_checksums_is_refused_before_the_core_is_downloaded(
    signed: Mirror, lock: Path, tmp_path: Path
) -> None:
    """The launch would have to write the proved checksums into it."""
    lock.chmod(0o444)

    found = refusal(mirrored(signed), lock, tmp_path / "cache")

    assert f"{lock} is read-only (mode 0444)" == found.found
    assert not (tmp_path / "cache").exists() or [] == list((tmp_path / "cache").iterdir())


def test_an_unsigned_list_of_a_mirror_is_accepted_with_a_notice(mirror: Mirror, lock: Path, tmp_path: Path) -> None:
    report = Recorder()

    resolve(mirrored(mirror), load_lock(lock), tmp_path / "cache", report)

    (notice,) = report.notices
    assert f"(its plugin-versions.json is not signed: for the plugins you trust {mirror.url}/)" in notice


def test_an_unsigned_list_of_the_official_site_is_refused(
    mirror: Mirror, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _officially(mirror, monkeypatch)
    before = lock.read_text()

    found = refusal(mirrored(mirror, "emulator"), lock, tmp_path / "cache")

    assert "it carries no signature" == found.found
    assert before == lock.read_text()


def test_a_signed_list_of_the_official_site_is_accepted(
    signed: Mirror, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _officially(signed, monkeypatch)

    assert "war" == resolve(mirrored(signed), load_lock(lock), tmp_path / "cache", Recorder()).kind


Change = Callable[[dict[str, Any], Authority], None]


def _change_sum(document: dict[str, Any], _: Authority) -> None:
    document["plugins"]["one"]["1.2.vabc"]["sha256"] = base64.b64encode(bytes(32)).decode()


def _sign_as_stranger(document: dict[str, Any], stranger: Authority) -> None:
    document.pop("signature")
    document |= json.loads(stranger.sign(document))


def _put_a_root_behind(document: dict[str, Any], stranger: Authority) -> None:
    _sign_as_stranger(document, stranger)
    document["signature"]["certificates"].append(encode(stranger.root))


def _drop_certificates(document: dict[str, Any], _: Authority) -> None:
    document["signature"]["certificates"] = []


def _spoil(document: dict[str, Any], _: Authority) -> None:
    document["signature"] = {"certificates": ["AAAA"], "correct_signature512": "zz"}


def _list_in_place_of_block(document: dict[str, Any], _: Authority) -> None:
    document["signature"] = []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_change_sum, "its signature does not match its content"),
        (_sign_as_stranger, "CN=stranger's signer is not issued by an authority that the core trusts"),
        (_put_a_root_behind, "CN=stranger is not issued by an authority that the core trusts"),
        (_drop_certificates, "its signature has no certificate"),
        (_spoil, "its signature cannot be read"),
        (_list_in_place_of_block, "it carries no signature"),
    ],
)
def test_a_list_with_a_bad_signature_is_refused_also_from_a_mirror(
    signed: Mirror, stranger: Authority, lock: Path, tmp_path: Path, change: Change, expected: str
) -> None:
    document = json.loads(signed.files["/plugin-versions.json"])
    change(document, stranger)
    signed.files["/plugin-versions.json"] = json.dumps(document).encode()
    before = lock.read_text()

    found = refusal(mirrored(signed, "emulator"), lock, tmp_path / "cache")

    assert f"checking the signature of plugin-versions.json of {signed.url}/" == found.doing
    assert expected in found.found
    assert before == lock.read_text()


def test_a_certificate_without_the_authority_flag_issues_no_other(authority: Authority, tmp_path: Path) -> None:
    """A certificate by the signer's key, with the signer's own certificate behind it."""
    other = rsa.generate_private_key(65537, 2048)
    made = x509.CertificateBuilder().subject_name(make_name("forged")).issuer_name(authority.certificate.subject)
    now = datetime.datetime.now(datetime.UTC)
    made = made.public_key(other.public_key()).serial_number(1).not_valid_before(now).not_valid_after(now)
    forged = made.sign(authority.signer, hashes.SHA256())
    text = b'{"plugins":{}}'
    block = {
        "certificates": [encode(forged), encode(authority.certificate)],
        "correct_signature512": other.sign(text, padding.PKCS1v15(), hashes.SHA512()).hex(),
    }
    (tmp_path / "jenkins.war").write_bytes(authority.core())

    with pytest.raises(Unproved, match="CN=forged is not issued by the certificate that comes with it"):
        metadata.verify(metadata.Metadata({}, {"plugins": {}}, block), tmp_path / "jenkins.war")


def test_a_core_without_root_certificates_proves_no_list(signed: Mirror, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "jenkins.war", "w") as archive:
        archive.writestr("index.html", "")
    listed = metadata.parse(signed.files["/plugin-versions.json"], "here")

    with pytest.raises(Unproved, match="no root certificate of the update center"):
        metadata.verify(listed, tmp_path / "jenkins.war")


def test_a_signed_list_that_is_nested_too_deeply_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    """It was read in a thread, in which fewer calls stand above it."""
    war = tmp_path / "jenkins.war"
    war.write_bytes(authority.core())
    signed = metadata.parse(authority.sign({"plugins": {}}), "here")
    nested: list[Any] = []
    for _ in range(5000):
        nested = [nested]

    with pytest.raises(Unproved, match="nested too deeply"):
        metadata.verify(metadata.Metadata({}, {"plugins": {}, "more": nested}, signed.signature), war)
