"""The provider in Jenkins' settings: the words of the plugins' own sources, groups with roles, and no account beside it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.acts import casc
from bootstrap.environment.people import Person
from bootstrap.environment.sign_in import Groups, Ldap, Oidc, Saml, SignIn
from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions import sign_in
from bootstrap.jenkins.definitions.people import PERMISSIONS, add_people, has_accounts

ROOT = Path(__file__).resolve().parents[4]
GROUPS = Groups(administrator=("admins",), auditor=("audit team",))
METADATA = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="p"><IDPSSODescriptor/></EntityDescriptor>'
)
OIDC = SignIn(
    oidc=Oidc(
        discovery_url="https://login.example.org/d",
        client_id="jenkins",
        client_secret="KEY",
        groups_claim="https://example.org/groups",
    ),
    groups=GROUPS,
)
SAML = SignIn(
    saml=Saml(metadata=METADATA, metadata_url="https://login.example.org/m", entity_id="jenkins"), groups=GROUPS
)
LDAP = SignIn(
    ldap=Ldap(
        server="ldaps://directory.example.org",
        root="dc=example,dc=org",
        bind=Ldap.Bind(dn="cn=jenkins", password="KEY"),
        groups_attribute="memberOf",
    ),
    groups=GROUPS,
)
# Parameters of the annotated constructors, and annotated setters, in the sources of the plugins: oic-auth at f202e425, saml at
# 441a27f4, ldap at 7d7de30b (all July 2026 or earlier). A configurator of Configuration as Code knows these and no others.
WORDS: dict[str, dict[str, set[str]]] = {
    "oic": {
        "": {
            *("clientId", "clientSecret", "serverConfiguration", "disableSslVerification", "userIdStrategy"),
            *("groupIdStrategy", "properties", "userNameField", "tokenFieldToCheckKey", "tokenFieldToCheckValue"),
            *("fullNameFieldName", "emailFieldName", "groupsFieldName", "logoutFromOpenidProvider"),
            *("postLogoutRedirectUrl", "rootURLFromRequest", "sendScopesInTokenRequest"),
            *("tokenExpirationCheckDisabled", "allowTokenAccessWithoutOicSession"),
        },
        "serverConfiguration": {"wellKnown", "manual"},
        "serverConfiguration.wellKnown": {"wellKnownOpenIDConfigurationUrl", "scopesOverride"},
        "properties": {"escapeHatch"},
        "properties.escapeHatch": {"username", "group", "secret"},
    },
    "saml": {
        "": {
            *("idpMetadataConfiguration", "displayNameAttributeName", "groupsAttributeName", "usernameAttributeName"),
            *("maximumAuthenticationLifetime", "emailAttributeName", "logoutUrl", "advancedConfiguration"),
            *("encryptionData", "usernameCaseConversion", "binding", "samlCustomAttributes", "properties"),
        },
        "idpMetadataConfiguration": {"xml", "url", "period"},
        "advancedConfiguration": {
            *("forceAuthn", "authnContextClassRef", "spEntityId", "nameIdPolicyFormat", "useDiskCache"),
        },
    },
    "ldap": {
        "": {
            *("configurations", "disableMailAddressResolver", "cache", "userIdStrategy", "groupIdStrategy"),
            "disableRolePrefixing",
        },
        "configurations": {
            *("server", "rootDN", "inhibitInferRootDN", "managerDN", "managerPasswordSecret", "userSearchBase"),
            *("userSearch", "groupSearchBase", "groupSearchFilter", "groupMembershipStrategy"),
            *("displayNameAttributeName", "mailAddressAttributeName", "ignoreIfUnavailable", "environmentProperties"),
        },
        "configurations.groupMembershipStrategy": {"fromGroupSearch", "fromUserRecord"},
        "configurations.groupMembershipStrategy.fromUserRecord": {"attributeName"},
    },
}


def list_words(node: Any, path: str = "") -> list[tuple[str, str]]:
    """Each key of a value with the path of the mapping that it is in; elements of a list have the path of the list."""
    if isinstance(node, list):
        return [pair for it in node for pair in list_words(it, path) if pair[0] or isinstance(it, dict)]
    if not isinstance(node, dict):
        return []
    below = [pair for key, value in node.items() for pair in list_words(value, f"{path}.{key}".lstrip("."))]
    return [*((path, key) for key in node), *below]


def code() -> dict[str, str]:
    return dict(casc.read(ROOT / "casc", own=["KEY"]))


@pytest.mark.parametrize("chosen", [OIDC, SAML, LDAP], ids=lambda it: it.kind)
def test_the_words_are_those_of_the_plugin(chosen: SignIn) -> None:
    ((name, realm),) = sign_in.make_realm(chosen).items()

    known = WORDS[name]
    unknown = [(path, key) for path, key in list_words(realm) if key not in known.get(path, set())]
    assert [] == unknown


@pytest.mark.parametrize("chosen", [OIDC, SAML, LDAP], ids=lambda it: it.kind)
def test_the_provider_takes_the_place_of_the_accounts(chosen: SignIn, tmp_path: Path) -> None:
    files = sign_in.put_in(code(), chosen)

    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert files == casc.read(tmp_path, own=["KEY"]), "the settings are good, secrets are references"
    realms = [yaml.safe_load(text).get("jenkins", {}).get("securityRealm") for text in files.values()]
    assert [sign_in.make_realm(chosen)] == [it for it in realms if it]
    assert not has_accounts(files)


def test_groups_have_the_permissions_of_their_roles_and_nobody_else_gets_any() -> None:
    before = yaml.safe_load(code()["access.yaml"])["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    files = sign_in.put_in(code(), OIDC)

    entries = yaml.safe_load(files["access.yaml"])["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    assert [
        *before,
        {"group": {"name": "admins", "permissions": list(PERMISSIONS["administrator"])}},
        {"group": {"name": "audit team", "permissions": list(PERMISSIONS["auditor"])}},
    ] == entries


def test_people_get_the_permissions_of_their_ids_and_no_account() -> None:
    person = Person(name="First", email="a@example.org", role="developer", groups=("admins",))
    files = add_people(sign_in.put_in(code(), OIDC), {"first": person})

    entries = yaml.safe_load(files["access.yaml"])["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    own = [it for it in entries if it.get("user", {}).get("name") == "first"]
    assert [{"user": {"name": "first", "permissions": list(PERMISSIONS["developer"])}}] == own, "not those of the group"
    assert not has_accounts(files)


def test_without_a_provider_the_files_stay_as_they_are() -> None:
    assert code() == sign_in.put_in(code(), None)


def test_a_claim_with_other_characters_is_quoted_as_jmespath_wants_it() -> None:
    oic = sign_in.make_realm(OIDC)["oic"]

    assert ("sub", '"https://example.org/groups"') == (oic["userNameField"], oic["groupsFieldName"])


def test_metadata_of_saml_is_there_before_the_provider_answers() -> None:
    """With a URL alone the plugin downloads it when Jenkins starts, and Jenkins does not start without an answer."""
    saml = sign_in.make_realm(SAML)["saml"]

    assert {"xml": METADATA, "url": "https://login.example.org/m", "period": 60} == saml["idpMetadataConfiguration"]


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("own.yaml", "jenkins:\n  securityRealm:\n    ldap: {}\n", "the user database 'ldap' is chosen here"),
        ("own.yaml", "jenkins:\n  SecurityRealm:\n    saml: {}\n", "the user database 'saml' is chosen here"),
        (sign_in.FILE, "jenkins: {mode: NORMAL}\n", "rename it"),
    ],
)
def test_a_second_user_database_is_refused_with_its_place(name: str, text: str, part: str) -> None:
    with pytest.raises(CascRejected, match=part):
        sign_in.put_in({**code(), name: text}, OIDC)


def test_without_a_matrix_groups_cannot_have_roles() -> None:
    with pytest.raises(CascRejected, match="no file has a matrix"):
        sign_in.put_in({"a.yaml": "jenkins: {mode: NORMAL}\n"}, OIDC)
