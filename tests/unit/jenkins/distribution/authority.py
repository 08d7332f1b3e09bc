"""An update center of the tests' own: an authority that a core contains, and the signed lists of plugins."""

import base64
import datetime
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.unit.jenkins.distribution.stand_ins import VERSION, WAR, Mirror, SigningKey, plugin

ROOTS = "WEB-INF/update-center-rootCAs/"


class Authority:
    """A root of an update center, and a signer by it."""

    def __init__(self, name: str) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.signer = rsa.generate_private_key(65537, 2048)
        self.root = self._issue(name, self.key, is_authority=True)
        self.certificate = self._issue(f"{name}'s signer", self.signer, is_authority=False, issuer=name)

    def _issue(
        self, name: str, key: rsa.RSAPrivateKey, *, is_authority: bool, issuer: str | None = None
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = x509.CertificateBuilder().subject_name(make_name(name)).issuer_name(make_name(issuer or name))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        # Over since yesterday: Jenkins takes such a signature, and so does the list's reader.
        made = made.not_valid_before(now - datetime.timedelta(9)).not_valid_after(now - datetime.timedelta(1))
        made = made.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        return made.sign(self.key, hashes.SHA256())

    def sign(self, document: dict[str, Any]) -> bytes:
        """The document as the update center publishes it."""
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        signature = self.signer.sign(text, padding.PKCS1v15(), hashes.SHA512()).hex()
        block = {"certificates": [encode(self.certificate)], "correct_signature512": signature}
        return json.dumps(document | {"signature": block}, ensure_ascii=False).encode()

    def core(self, version: str = VERSION) -> bytes:
        """A WAR that carries the root."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\nJenkins-Version: {version}\r\n\r\n")
            archive.writestr(f"{ROOTS}root.txt", "about it")
            archive.writestr(f"{ROOTS}other", "no certificate")
            archive.writestr(f"{ROOTS}root", self.root.public_bytes(serialization.Encoding.PEM))
        return content.getvalue()


def make_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def encode(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


@dataclass
class Center:
    """A mirror with a signed core, a signed list of plugin versions, and a signed offer."""

    mirror: Mirror
    authority: Authority
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    offer: dict[str, Any] = field(
        default_factory=lambda: {
            "core": {},
            "plugins": {},
            "warnings": [],
            "deprecations": {},
            "generationTimestamp": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
    )

    def serve_core(self, key: SigningKey, version: str = VERSION, content: bytes | None = None) -> None:
        """Publish a core that contains the authority, signed with the key; with `content`, another one in its place."""
        core, path = content or self.authority.core(version), WAR.replace(VERSION, version)
        self.mirror.files[path] = core
        self.mirror.files[f"{path}.sha256"] = f"{hashlib.sha256(core).hexdigest()} jenkins.war\n".encode()
        self.mirror.files[f"{path}.asc"] = key.sign(core)
        self.mirror.files["/jenkins.key"] = key.public

    def publish(
        self,
        name: str,
        version: str,
        needs: str = "",
        core: str = "2.541.1",
        date: str = "2026-08-05",
        *,
        signs: bool = True,
    ) -> str:
        """Publish a release; `needs` as in a manifest ('two:3.0,three:1;resolution:=optional'). Returns its SHA-256."""
        content = plugin(name, version, needs, core)
        self.mirror.files[f"/plugins/{name}/{version}/{name}.hpi"] = content
        dependencies = []
        for each in filter(None, needs.split(",")):
            needed, least = each.partition(";")[0].split(":")
            dependencies.append({"name": needed, "version": least, "optional": "optional" in each})
        self.listed.setdefault(name, {})[version] = {
            "name": name,
            "version": version,
            "requiredCore": core,
            "dependencies": dependencies,
            "releaseTimestamp": f"{date}T10:11:12.00Z",
            "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        }
        entry = {"name": name, "version": version, "releaseTimestamp": f"{date}T10:11:12.00Z"}
        if name in self.offer["plugins"]:
            before = self.offer["plugins"][name]
            entry |= {"previousVersion": before["version"], "previousTimestamp": before["releaseTimestamp"]}
        self.offer["plugins"][name] = entry
        if signs:
            self.sign()
        return hashlib.sha256(content).hexdigest()

    def sign(self) -> None:
        """Sign the list and the offer as they are now."""
        self.mirror.files["/plugin-versions.json"] = self.authority.sign({"plugins": self.listed})
        self.mirror.files["/update-center.actual.json"] = self.authority.sign(self.offer)
