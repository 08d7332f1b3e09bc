"""Puts the identity provider of the environment file into Jenkins' settings, in the place of Jenkins' own user database.

The words are those of the plugins' own sources: constructors and setters that Configuration as Code fills, of oic-auth
(OicSecurityRealm, OicServerWellKnownConfiguration, EscapeHatch, Pkce), saml (SamlSecurityRealm, IdpMetadataConfiguration,
SamlAdvancedConfiguration) and ldap (LDAPSecurityRealm, LDAPConfiguration and its strategies for groups).

Groups get the permissions of their roles as entries of the matrix for groups. The entries for users stay: `toolkit` needs its
own, and `admin` signs in by OpenID Connect's way back in. No setting here gives a permission to everybody who signs in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.environment.sign_in import Groups, Kind, Ldap, Oidc, Saml, SignIn
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_insertion, casc_layers
from bootstrap.jenkins.definitions.people import MATRIX_ENTRIES, NO_PASSWORD, PERMISSIONS
from bootstrap.remote.desired.people import PASSWORDS

FILE = "sign-in.yaml"
"""The settings file with the provider, beside those of `casc/`."""

PLUGINS: Mapping[Kind, str] = {"oidc": "oic-auth", "saml": "saml", "ldap": "ldap"}
"""The plugin of each kind of provider."""

WAY_BACK = "admin"
"""The user who signs in with the administrator's password when the provider does not answer; OpenID Connect alone has this."""

HASH_PREFIX = "#jbcrypt:"
"""What Jenkins' own user database writes before a hash of bcrypt; the plugin oic-auth takes the hash without it."""

_REALM = "jenkins", "securityRealm"
_DOING = "putting the identity provider of the environment file into Jenkins' settings"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def put_in(files: Mapping[str, str], sign_in: SignIn | None) -> dict[str, str]:
    """The settings files with the provider and its groups; the same files without a provider.

    CascRejected if the files have no matrix for the permissions, another user database than Jenkins' own, or the file of the
    provider.
    """
    if sign_in is None:
        return dict(files)
    _refuse_other_databases(files)
    cleared = {name: casc_layers.take_out(text, {_REALM}) for name, text in files.items()}
    cleared = {name: text for name, text in cleared.items() if text}
    matrix = casc_insertion.find_list(cleared, MATRIX_ENTRIES)
    if matrix is None:
        reason = (
            "no file has a matrix ('globalMatrix' or 'projectMatrix' with 'entries'), so groups have no permissions"
        )
        raise CascRejected(_DOING, [Fault("casc", 1, 1, reason)], "Use a matrix in casc/, or take 'sign_in' out.")
    with_groups = casc_insertion.add_entries(cleared, [(*matrix, list(_list_entries(sign_in.groups)))])
    realm = {"jenkins": {"securityRealm": make_realm(sign_in)}}
    comment = "# From 'sign_in' in the environment file.\n"
    return {**with_groups, FILE: f"{comment}{json.dumps(realm, indent=2, ensure_ascii=False)}\n"}


def make_realm(sign_in: SignIn) -> dict[str, Any]:
    """The value of `jenkins.securityRealm` in Configuration as Code."""
    if sign_in.oidc:
        return {"oic": _make_oidc(sign_in.oidc)}
    if sign_in.saml:
        return {"saml": _make_saml(sign_in.saml)}
    assert sign_in.ldap is not None
    return {"ldap": _make_ldap(sign_in.ldap)}


def list_plugins(sign_in: SignIn | None) -> tuple[str, ...]:
    """The plugins that the lock needs for a provider; those that they require are found with them."""
    return (PLUGINS[sign_in.kind],) if sign_in else ()


def _refuse_other_databases(files: Mapping[str, str]) -> None:
    """A project that chose a user database of its own cannot have a second one."""
    faults = []
    for name, text in files.items():
        for line, column, kind in casc_insertion.list_keys(text, _REALM):
            if kind.lower() != "local":
                reason = (
                    f"the user database '{kind}' is chosen here, and 'sign_in' of the environment file has another one"
                )
                faults.append(Fault(f"casc/{name}", line, column, reason))
        if name == FILE:
            faults.append(Fault(f"casc/{name}", 1, 1, "this name is that of the file which 'sign_in' makes; rename it"))
    if faults:
        raise CascRejected(_DOING, faults, "Keep one of the two.")


def _list_entries(groups: Groups) -> Iterator[dict[str, Any]]:
    for role, group in groups.list_roles():
        yield {"group": {"name": group, "permissions": list(PERMISSIONS[role])}}


def _make_oidc(oidc: Oidc) -> dict[str, Any]:
    server = {"wellKnownOpenIDConfigurationUrl": oidc.discovery_url, "scopesOverride": " ".join(oidc.scopes)}
    no_password = NO_PASSWORD.removeprefix(HASH_PREFIX)
    way_back = {"username": WAY_BACK, "secret": f"${{readFile:{PASSWORDS}/{WAY_BACK}:-{no_password}}}"}
    return {
        "serverConfiguration": {"wellKnown": server},
        "clientId": oidc.client_id,
        "clientSecret": f"${{{oidc.client_secret}}}",
        "userNameField": _quote_claim(oidc.user_claim),
        "fullNameFieldName": _quote_claim(oidc.name_claim),
        "emailFieldName": _quote_claim(oidc.email_claim),
        "groupsFieldName": _quote_claim(oidc.groups_claim),
        # A token of somebody whose session at the provider has ended counts no more.
        "allowTokenAccessWithoutOicSession": False,
        "logoutFromOpenidProvider": True,
        "properties": ["pkce", {"escapeHatch": way_back}],
    }


def _quote_claim(name: str) -> str:
    """The name of a claim as an expression of JMESPath, which the plugin takes: a name with other characters in quotes."""
    is_plain = name.replace("_", "a").isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if is_plain else json.dumps(name)


def _make_saml(saml: Saml) -> dict[str, Any]:
    refreshed = {"url": saml.metadata_url, "period": saml.refresh_minutes} if saml.metadata_url else {}
    optional = {
        "usernameAttributeName": saml.user_attribute,
        "logoutUrl": saml.logout_url,
        "advancedConfiguration": {"spEntityId": saml.entity_id} if saml.entity_id else None,
    }
    return {
        "idpMetadataConfiguration": {"xml": saml.metadata, **refreshed},
        "binding": _REDIRECT,
        "usernameCaseConversion": "none",
        "displayNameAttributeName": saml.name_attribute,
        "emailAttributeName": saml.email_attribute,
        "groupsAttributeName": saml.groups_attribute,
        "maximumAuthenticationLifetime": saml.sign_in_hours * 3600,
        **{key: value for key, value in optional.items() if value is not None},
    }


def _make_ldap(ldap: Ldap) -> dict[str, Any]:
    bind = {"managerDN": ldap.bind.dn, "managerPasswordSecret": f"${{{ldap.bind.password}}}"} if ldap.bind else {}
    optional = {"userSearchBase": ldap.user_base, "groupSearchBase": ldap.group_base}
    by_attribute = {"fromUserRecord": {"attributeName": ldap.groups_attribute}}
    configuration = {
        "server": ldap.server,
        "rootDN": ldap.root,
        "inhibitInferRootDN": True,
        **bind,
        "userSearch": ldap.user_search,
        **{key: value for key, value in optional.items() if value is not None},
        **({"groupMembershipStrategy": by_attribute} if ldap.groups_attribute else {}),
        "displayNameAttributeName": ldap.name_attribute,
        "mailAddressAttributeName": ldap.email_attribute,
        "ignoreIfUnavailable": False,
    }
    # Without the prefix ROLE_, and with the groups' names as they are in the directory.
    return {"configurations": [configuration], "disableMailAddressResolver": False, "disableRolePrefixing": True}
