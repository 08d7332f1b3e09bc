"""The section `sign_in` of an environment file: the identity provider at which people sign in to Jenkins.

There is one provider, by OpenID Connect, SAML or LDAP. Its groups get the roles of `people`; whoever signs in and is in none of
these groups has no permission. Secrets are named here as in `casc/`, by their names in `jenkins.secrets`.
"""

from __future__ import annotations

import ipaddress
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterator
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, model_validator

from bootstrap.environment.people import ROLES, Role
from bootstrap.environment.sections import SecretName, Section

Found = tuple[tuple[str | int, ...], str]
Kind = Literal["oidc", "saml", "ldap"]
LDAP_PORTS = {"ldaps": 636, "ldap": 389}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
# Names with a meaning of Jenkins' own: everybody who signs in, and everybody.
_EVERYBODY = frozenset(("authenticated", "anonymous", "everyone"))


def _split(text: str, schemes: Collection[str]) -> SplitResult:
    """The parts of a URL; ValueError for one with another scheme, without a host, with a login, or with a bad character."""
    # Jenkins would replace '${' as a variable, and these texts are written into its settings.
    if not re.fullmatch(r"[!-~]+", text) or "$" in text or "^" in text or '"' in text:
        raise ValueError(f"{text!r} is no URL: it has a space, '$', '^', a quote, or a letter that is not ASCII")
    parts = urlsplit(text)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL here has no user and no password; a secret belongs to 'jenkins.secrets'")
    named = " or ".join(f"{it}://" for it in schemes)
    if (
        parts.scheme not in schemes
        or not host
        or not _HOST.fullmatch(parts.netloc.rpartition("@")[2].split(":")[0] or "[")
    ):
        raise ValueError(f"{text!r} is no URL of {named} with a host")
    return parts


def is_loopback(host: str) -> bool:
    """Whether a name or an address is that of the machine itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _check_url(text: str) -> str:
    """Returns a URL of https, or of http on the machine itself; ValueError for any other text."""
    parts = _split(text, ("https", "http"))
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(f"{text!r} is not encrypted: whoever is between could sign in as anybody; write https://")
    return text


def _check_server(text: str) -> str:
    """Returns the URL of an LDAP server, without a path; ValueError for one that sends passwords in clear text."""
    parts = _split(text, ("ldaps", "ldap"))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} has more than a host and a port; write the base as 'root'")
    if parts.scheme == "ldap" and not is_loopback(parts.hostname or ""):
        raise ValueError(f"{text!r} sends passwords in clear text; write ldaps:// (the plugin has no StartTLS)")
    return text


def _check_metadata(text: str) -> str:
    """Returns the metadata of a provider of SAML; ValueError for any other text."""
    if "<!" in text.replace("<!--", "") or "${" in text:
        raise ValueError("has a document type, a CDATA section or '${', which metadata does not need")
    try:
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError as error:
        raise ValueError(f"is no XML: {error}") from error
    if root.tag != f"{_METADATA}EntityDescriptor" or root.find(f"{_METADATA}IDPSSODescriptor") is None:
        raise ValueError("is no metadata of one provider: EntityDescriptor with IDPSSODescriptor is needed")
    return text.strip()


def _check_group(text: str) -> str:
    """Returns the name of a group at the provider; ValueError for one that is everybody."""
    if not text.isprintable() or text != text.strip():
        raise ValueError(f"{text!r} begins or ends with a space, or has a character that is not seen")
    if text.lower() in _EVERYBODY:
        raise ValueError(f"'{text}' is everybody in Jenkins, not a group; name a group of the provider")
    return text


Url = Annotated[str, AfterValidator(_check_url)]
LdapServer = Annotated[str, AfterValidator(_check_server)]
# '$' and '^' are Jenkins' own in its settings.
Text = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f$^]+$")]
GroupName = Annotated[
    str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f$^]+$"), AfterValidator(_check_group)
]
Scope = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]+$")]


class Oidc(Section):
    """OpenID Connect, with the plugin oic-auth: the provider's metadata, the client, and the claims."""

    discovery_url: Url
    client_id: Text
    client_secret: SecretName
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = ("openid", "profile", "email")
    user_claim: Text = "sub"
    name_claim: Text = "name"
    email_claim: Text = "email"
    groups_claim: Text = "groups"


class Saml(Section):
    """SAML 2.0, with the plugin saml: the provider's metadata (XML), and the names of the attributes in its assertions.

    The metadata is here as text, because Jenkins would not start while the provider does not answer: the plugin downloads it
    when it is given a URL alone. With `metadata_url` Jenkins reads it again every `refresh_minutes`. Without `user_attribute`
    the id of a user is the NameID of the assertion.
    """

    metadata: Annotated[str, AfterValidator(_check_metadata)]
    metadata_url: Url | None = None
    refresh_minutes: Annotated[int, Field(ge=5, le=10080)] = 60
    entity_id: Text | None = None
    user_attribute: Text | None = None
    name_attribute: Text = "displayName"
    email_attribute: Text = "email"
    groups_attribute: Text = "groups"
    # How long after the sign-in at the provider Jenkins accepts its assertion; at most as long as sessions there.
    sign_in_hours: Annotated[int, Field(ge=1, le=720)] = 24
    logout_url: Url | None = None


class Ldap(Section):
    """A directory, with the plugin ldap: its server, and how users and groups are found.

    With `bind` Jenkins signs in to search. Groups come from a search for `member`, or, with `groups_attribute`, from an
    attribute of the user's own entry, such as memberOf.
    """

    class Bind(Section):
        """With which entry Jenkins signs in to search."""

        dn: Text
        password: SecretName

    server: LdapServer
    root: Text
    bind: Bind | None = None
    user_base: Text | None = None
    user_search: Annotated[Text, Field(pattern=r"\{0\}")] = "uid={0}"
    group_base: Text | None = None
    groups_attribute: Text | None = None
    name_attribute: Text = "displayname"
    email_attribute: Text = "mail"

    @property
    def port(self) -> int:
        """The port of the server."""
        parts = urlsplit(self.server)
        return parts.port or LDAP_PORTS[parts.scheme]


class Groups(Section):
    """The groups of the provider that have a role."""

    administrator: tuple[GroupName, ...] = ()
    operator: tuple[GroupName, ...] = ()
    developer: tuple[GroupName, ...] = ()
    auditor: tuple[GroupName, ...] = ()

    def list_roles(self) -> Iterator[tuple[Role, str]]:
        """Each role with each of its groups."""
        for role in ROLES:
            for group in getattr(self, role):
                yield role, group


class SignIn(Section):
    """Where people sign in to Jenkins, and the groups there that have a role."""

    oidc: Oidc | None = None
    saml: Saml | None = None
    ldap: Ldap | None = None
    groups: Groups = Groups()

    @model_validator(mode="after")
    def _check_kind(self) -> SignIn:
        named = [kind for kind in ("oidc", "saml", "ldap") if getattr(self, kind) is not None]
        if len(named) != 1:
            found = f"here are {' and '.join(named)}" if named else "here is none"
            raise ValueError(f"Jenkins has one user database: write one of 'oidc', 'saml' and 'ldap'; {found}")
        return self

    @property
    def kind(self) -> Kind:
        """The kind of the provider."""
        return "oidc" if self.oidc else "saml" if self.saml else "ldap"

    @property
    def secrets(self) -> dict[tuple[str, ...], str]:
        """The names of the secrets that the section uses, by their keys in the file."""
        if self.oidc:
            return {("oidc", "client_secret"): self.oidc.client_secret}
        return {("ldap", "bind", "password"): self.ldap.bind.password} if self.ldap and self.ldap.bind else {}


def find_faults(
    section: SignIn | None, secrets: Collection[str], ports: Collection[int], emulator: str
) -> Iterator[Found]:
    """Every fault of a section whose values are each valid by themselves.

    `secrets` are the names in `jenkins.secrets`, `ports` those to which the network lets the controller out. `emulator` is the
    key by which the emulator can take the place of Jenkins on AWS, where people would sign in to it with other accounts than
    those of the provider; '' if none does.
    """
    if section is None:
        return
    for key, name in section.secrets.items():
        if name not in secrets:
            there = f"there are: {', '.join(sorted(secrets))}" if secrets else "it has none"
            yield ("sign_in", *key), f"'jenkins.secrets' has no {name}; {there}"
    if (
        section.ldap
        and section.ldap.port not in ports
        and not is_loopback(urlsplit(section.ldap.server).hostname or "")
    ):
        listed = ", ".join(map(str, sorted(ports)))
        reason = f"the network lets the controller out to the TCP ports {listed} alone, and this is {section.ldap.port}"
        yield ("sign_in", "ldap", "server"), f"{reason}; serve the directory at one of them, or use 'oidc' or 'saml'"
    owners: dict[str, Role] = {}
    for role, group in section.groups.list_roles():
        place = ("sign_in", "groups", role)
        if group.lower() in owners:
            yield place, f"'{group}' is there twice ({owners[group.lower()]} and {role}); a group has one role"
        owners.setdefault(group.lower(), role)
    if not section.groups.administrator:
        reason = "nobody could administer Jenkins; name a group of the provider"
        yield ("sign_in", "groups", "administrator"), reason
    if emulator:
        yield (
            ("sign_in",),
            f"the emulator has accounts of its own alone, and '{emulator}' may put it in the place of Jenkins",
        )
