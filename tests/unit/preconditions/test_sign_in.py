"""What a provider needs: its plugin in the lock, a line where it is not used, and the hash of the way back in."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid
from bootstrap.jenkins.definitions.people import has_accounts
from bootstrap.jenkins.definitions.sign_in import FILE, PLUGINS
from bootstrap.preconditions import sign_in
from bootstrap.values import Secret

HEAD = "environment: trial\ncloud: local\nowner: someone\ncost_center: lab\n"
METADATA = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><IDPSSODescriptor/></EntityDescriptor>'
KINDS = {
    "oidc": "{discovery_url: 'https://login.example.org/d', client_id: a, client_secret: KEY}",
    "saml": f"{{metadata: '{METADATA}'}}",
    "ldap": "{server: 'ldaps://directory.example.org:443', root: 'dc=x'}",
}


def make_context(tmp_path: Path, kind: str, plugins: tuple[str, ...] = (), source: str = "official") -> Any:
    path = tmp_path / "trial.yaml"
    jenkins = f"jenkins: {{source: {source}, secrets: {{KEY: {{secret: key}}}}}}\n"
    path.write_text(f"{HEAD}{jenkins}sign_in:\n  {kind}: {KINDS[kind]}\n  groups: {{administrator: [admins]}}\n")
    lock = SimpleNamespace(pins=dict.fromkeys(plugins), path=Path("jenkins.lock.yaml"))
    return SimpleNamespace(settings=settings.load(path), environment_file=path, lock=lock, tool="./bootstrap.py")


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugin_of_the_chosen_kind_alone_is_demanded(tmp_path: Path, kind: str) -> None:
    others = tuple(plugin for it, plugin in PLUGINS.items() if it != kind)

    with pytest.raises(SettingsInvalid) as caught:
        sign_in.check_plugins(make_context(tmp_path, kind, others))
    sign_in.check_plugins(make_context(tmp_path, kind, (PLUGINS[kind],)))

    (fault,) = caught.value.faults
    assert (7, 3) == (fault.line, fault.column)
    assert f"jenkins lock --add {PLUGINS[kind]}." in caught.value.remedy


def test_with_the_emulator_no_plugin_is_demanded_and_one_line_says_why(tmp_path: Path) -> None:
    lines: list[str] = []
    run: Any = SimpleNamespace(notice=lines.append)

    emulated, real = (make_context(tmp_path, "saml", source=it) for it in ("emulator", "official"))
    sign_in.check_plugins(emulated)
    sign_in.report(emulated, run)
    sign_in.report(real, run)

    (line,) = lines
    assert line.startswith("sign_in.saml is not used: jenkins.source is 'emulator'")


def test_jenkins_begins_with_its_own_accounts_and_gets_the_provider_then(tmp_path: Path) -> None:
    """At its first start the toolkit signs in with a password, for its token."""
    opened = make_context(tmp_path, "oidc")
    with Context(opened.environment_file, opened.settings) as context:
        first, then = context.first_casc_files, context.casc_files

    assert (True, False) == (has_accounts(first), has_accounts(then))
    assert {FILE} == then.keys() - first.keys()


@pytest.mark.parametrize(("kind", "files"), [("oidc", {"admin": "$2a$10$abc"}), ("saml", {}), ("ldap", {})])
def test_the_way_back_is_the_hash_alone(tmp_path: Path, kind: str, files: dict[str, str]) -> None:
    found = sign_in.make_way_back(make_context(tmp_path, kind), Secret("#jbcrypt:$2a$10$abc"))

    assert files == {name: secret.reveal() for name, secret in found.items()}
