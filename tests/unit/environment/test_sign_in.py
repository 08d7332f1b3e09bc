"""The identity provider in an environment file: what is accepted, and how anything else is refused with its place."""

from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid

AWS = "environment: trial\ncloud: aws\nowner: someone\ncost_center: lab\n"
SECRETS = "jenkins:\n  secrets:\n    PROVIDER_KEY: {secret: provider}\n"
GROUPS = "  groups:\n    administrator: [Jenkins Admins]\n"
OIDC = """\
sign_in:
  oidc:
    discovery_url: https://login.example.org/.well-known/openid-configuration
    client_id: jenkins
    client_secret: PROVIDER_KEY
"""
METADATA = """\
      <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="provider">
        <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
          <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
            Location="https://login.example.org/saml"/>
        </md:IDPSSODescriptor>
      </md:EntityDescriptor>
"""
SAML = f"sign_in:\n  saml:\n    metadata: |\n{METADATA}"
LDAP = """\
sign_in:
  ldap:
    server: ldaps://directory.example.org:443
    root: dc=example,dc=org
    bind: {dn: "cn=jenkins,dc=example,dc=org", password: PROVIDER_KEY}
"""


def load(tmp_path: Path, text: str, head: str = AWS + SECRETS) -> settings.Settings:
    path = tmp_path / "trial.yaml"
    path.write_text(head + text)
    return settings.load(path)


@pytest.mark.parametrize(("text", "kind"), [(OIDC, "oidc"), (SAML, "saml"), (LDAP, "ldap")])
def test_a_provider_of_each_kind_is_read(tmp_path: Path, text: str, kind: str) -> None:
    chosen = load(tmp_path, text + GROUPS)

    assert chosen.provider is not None
    assert kind == chosen.provider.kind
    assert [("administrator", "Jenkins Admins")] == list(chosen.provider.groups.list_roles())


@pytest.mark.parametrize(
    ("text", "part", "place"),
    [
        (OIDC.replace("https://login", "http://login"), "is not encrypted", (10, 20)),
        (OIDC.replace("https://login.example.org", "https://a:b@login.example.org"), "no user and no password", (10, 20)),
        (OIDC.replace("https://login.example.org", "login.example.org"), "no URL of https://", (10, 20)),
        (OIDC.replace("https://login.example.org", "https://login.example.org:port"), "is no URL", (10, 20)),
        (OIDC.replace("https://login.example.org", "https://$" + "{HOST}"), "is no URL: it has", (10, 20)),
        (OIDC.replace("    client_id: jenkins\n", ""), "'sign_in.oidc.client_id' is missing", (9, 3)),
        (OIDC.replace("client_id", "clientid"), "unknown key 'sign_in.oidc.clientid'; did you mean 'client_id'?", (11, 5)),
        (OIDC.replace("PROVIDER_KEY", "PROVIDER_KEI"), "has no PROVIDER_KEI; there are: PROVIDER_KEY", (12, 20)),
        (OIDC + "  ldap: {server: 'ldaps://d.example.org:443', root: dc=x}\n", "one of 'oidc', 'saml' and 'ldap'", (8, 1)),
        (LDAP.replace("ldaps://", "ldap://"), "sends passwords in clear text", (10, 13)),
        (LDAP.replace(":443", ""), "ports 25, 80, 443 alone, and this is 636", (10, 13)),
        (LDAP.replace(":443", ":443/dc=x"), "write the base as 'root'", (10, 13)),
        (LDAP + "    user_search: uid=me\n", "does not match", (13, 18)),
        (SAML.replace("</md:EntityDescriptor>", ""), "is no XML", None),
        (SAML.replace("IDPSSODescriptor", "SPSSODescriptor"), "is no metadata of one provider", None),
        (SAML.replace("      <md:EntityD", "      <!DOCTYPE a []>\n      <md:EntityD", 1), "a document type", None),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(tmp_path: Path, text: str, part: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, text + GROUPS)

    (fault,) = [it for it in caught.value.faults if part in it.message]
    assert place in {None, (fault.line, fault.column)}


def test_http_is_accepted_on_the_machine_itself(tmp_path: Path) -> None:
    text = OIDC.replace("https://login.example.org", "http://127.0.0.1:8081")

    assert load(tmp_path, text + GROUPS).sign_in is not None


@pytest.mark.parametrize(
    ("groups", "part"),
    [
        ("  groups:\n    operator: [ops]\n", "nobody could administer Jenkins"),
        ("  groups:\n    administrator: [authenticated]\n", "is everybody in Jenkins"),
        ("  groups:\n    administrator: [a]\n    auditor: [A]\n", "'A' is there twice (administrator and auditor)"),
        ("  groups:\n    administrator: ['$" + "{ADMIN_PASSWORD}']\n", "does not match"),
        ("  groups:\n    administrators: [a]\n", "unknown key 'sign_in.groups.administrators'"),
    ],
)
def test_groups_that_open_jenkins_to_the_wrong_people_are_refused(tmp_path: Path, groups: str, part: str) -> None:
    with pytest.raises(SettingsInvalid, match="sign_in") as caught:
        load(tmp_path, OIDC + groups)

    assert [it for it in caught.value.faults if part in it.message]


@pytest.mark.parametrize("key", ["source", "fallback"])
def test_where_the_emulator_may_run_there_is_no_provider(tmp_path: Path, key: str) -> None:
    """In the local cloud people keep the emulator's own accounts; on AWS the file is refused."""
    head = AWS + SECRETS.replace("  secrets", f"  {key}: emulator\n  secrets")

    local = load(tmp_path, OIDC + GROUPS, head.replace("cloud: aws", "cloud: local"))
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, OIDC + GROUPS, head)

    assert (None, True) == (local.provider, local.sign_in is not None)
    assert [f"jenkins.{key}"] == [it for it in ("jenkins.source", "jenkins.fallback") if it in str(caught.value)]
