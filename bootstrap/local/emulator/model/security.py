"""Who a request comes from, and what that user may do: the local user database, API tokens and the matrix."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt

from ..failures import Forbidden
from . import xmlfile

ANONYMOUS = "anonymous"
AUTHENTICATED = "authenticated"
_HASHED = "#jbcrypt:"
COST = 10  # Jenkins' own: bcrypt's work doubles with each
# What a permission is implied by, besides Overall/Administer, which implies everything.
IMPLIED_BY = {
    "Job/Discover": ("Job/Read",),
    "Job/ExtendedRead": ("Job/Configure",),
    "Overall/Manage": (),
}
KNOWN_PERMISSIONS = {
    "Overall": ("Administer", "Manage", "Read", "SystemRead"),
    "Credentials": ("Create", "Delete", "ManageDomains", "Update", "View", "UseItem", "UseOwn"),
    "Agent": ("Build", "Configure", "Connect", "Create", "Delete", "Disconnect", "ExtendedRead", "Provision"),
    "Job": (
        "Build",
        "Cancel",
        "Configure",
        "Create",
        "Delete",
        "Discover",
        "ExtendedRead",
        "Move",
        "Read",
        "ViewStatus",
        "Workspace",
    ),
    "Run": ("Artifacts", "Delete", "Replay", "Update"),
    "View": ("Configure", "Create", "Delete", "Read"),
    "SCM": ("Tag",),
    "Lockable Resources": ("Reserve", "Unlock", "View"),
    "Metrics": ("HealthCheck", "ThreadDump", "View"),
}


def is_permission(name: str) -> bool:
    """Whether such a permission exists here."""
    group, _, right = name.partition("/")
    return right in KNOWN_PERMISSIONS.get(group, ())


@dataclass
class Token:
    """An API token: only its hash is kept."""

    identifier: str
    name: str
    hashed: str
    created: str


@dataclass
class User:
    """One account; `password` is '#jbcrypt:<hash>' or empty."""

    identifier: str
    full_name: str
    directory: Path
    password: str = ""
    email: str = ""
    description: str = ""
    tokens: list[Token] = field(default_factory=list)

    def save(self) -> None:
        """Write users/<directory>/config.xml."""
        root = xmlfile.element("user")
        xmlfile.put(root, "version", 10)
        xmlfile.put(root, "id", self.identifier)
        xmlfile.put(root, "fullName", self.full_name)
        xmlfile.put(root, "description", self.description)
        properties = xmlfile.put(root, "properties")
        if self.password:
            xmlfile.put(
                xmlfile.put(properties, "hudson.security.HudsonPrivateSecurityRealm_-Details"),
                "passwordHash",
                self.password,
            )
        if self.email:
            xmlfile.put(xmlfile.put(properties, "hudson.tasks.Mailer_-UserProperty"), "emailAddress", self.email)
        store = xmlfile.put(xmlfile.put(properties, "jenkins.security.ApiTokenProperty"), "tokenStore")
        listed = xmlfile.put(store, "tokenList")
        for token in self.tokens:
            node = xmlfile.put(listed, "jenkins.security.apitoken.ApiTokenStore_-HashedToken")
            xmlfile.put(node, "uuid", token.identifier)
            xmlfile.put(node, "name", token.name)
            xmlfile.put(node, "creationDate", token.created)
            value = xmlfile.put(node, "value")
            xmlfile.put(value, "version", 11)
            xmlfile.put(value, "hash", token.hashed)
        xmlfile.write(self.directory / "config.xml", xmlfile.serialise(root), 0o600)

    @classmethod
    def load(cls, identifier: str, directory: Path) -> User:
        """Read a user's file."""
        root = xmlfile.parse((directory / "config.xml").read_bytes())
        tokens = [
            Token(
                xmlfile.text(node, "uuid"),
                xmlfile.text(node, "name"),
                xmlfile.text(node, "value/hash"),
                xmlfile.text(node, "creationDate"),
            )
            for node in root.iter("jenkins.security.apitoken.ApiTokenStore_-HashedToken")
        ]
        return cls(
            identifier,
            xmlfile.text(root, "fullName") or identifier,
            directory,
            xmlfile.text(root, "properties/hudson.security.HudsonPrivateSecurityRealm_-Details/passwordHash"),
            xmlfile.text(root, "properties/hudson.tasks.Mailer_-UserProperty/emailAddress"),
            xmlfile.text(root, "description"),
            tokens,
        )


class Users:
    """The accounts under JENKINS_HOME/users. Identifiers are compared without case."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "users"
        self._users: dict[str, User] = {}
        self._verified: dict[tuple[str, str], bytes] = {}
        self._pepper = secrets.token_bytes(32)

    def load(self) -> None:
        """Read users.xml and every account it names."""
        index = self._folder / "users.xml"
        if not index.exists():
            return
        for entry in xmlfile.parse(index.read_bytes()).iter("entry"):
            identifier, directory = (child.text for child in entry)
            if (self._folder / directory / "config.xml").exists():
                self._users[identifier.lower()] = User.load(identifier, self._folder / directory)

    def find(self, identifier: str) -> User | None:
        """The account of an id."""
        return self._users.get(identifier.lower())

    def ensure(self, identifier: str) -> User:
        """The account of an id, made when there is none."""
        user = self.find(identifier)
        if user is None:
            name = re.sub(r"[^A-Za-z0-9]", "", identifier) + "_" + str(secrets.randbelow(10**19))
            user = User(identifier, identifier, self._folder / name)
            self._users[identifier.lower()] = user
            user.save()
            self._save_index()
        return user

    def _save_index(self) -> None:
        root = xmlfile.element("hudson.model.UserIdMapper")
        xmlfile.put(root, "version", 1)
        mapping = xmlfile.put(root, "idToDirectoryNameMap", class_="concurrent-hash-map")
        for user in self._users.values():
            entry = xmlfile.put(mapping, "entry")
            xmlfile.put(entry, "string", user.identifier)
            xmlfile.put(entry, "string", user.directory.name)
        xmlfile.write(self._folder / "users.xml", xmlfile.serialise(root))

    def set_password(self, user: User, password: str) -> None:
        """Keep a new password; one that is the same stays untouched, so a reload does not rewrite the file."""
        if password.startswith(_HASHED):
            user.password = password
        elif not self.is_password(user, password):
            salt = bcrypt.gensalt(COST, prefix=b"2a")
            user.password = _HASHED + bcrypt.hashpw(password.encode()[:72], salt).decode()
        user.save()

    def is_password(self, user: User, password: str) -> bool:
        """Whether the password is right; a right one is remembered by a keyed hash, since bcrypt takes 50 ms by design."""
        hashed = self.hash_of(user)
        if hashed and not self.is_remembered(user, password) and bcrypt.checkpw(password.encode()[:72], hashed):
            self.remember(user, password, hashed)
        return self.is_remembered(user, password)

    @staticmethod
    def hash_of(user: User) -> bytes | None:
        """What bcrypt made of the user's password; None where nobody can sign in as this user."""
        return user.password.removeprefix(_HASHED).encode() if user.password.startswith(_HASHED) else None

    def hashes(self) -> list[bytes]:
        """What bcrypt made of all users' passwords."""
        return [hashed for user in self._users.values() if (hashed := self.hash_of(user))]

    def is_remembered(self, user: User, password: str) -> bool:
        """Whether the password was found right before and is still the user's."""
        return self._verified.get((user.identifier, self._mark(password)), b"") == self.hash_of(user)

    def remember(self, user: User, password: str, hashed: bytes) -> None:
        """Keep that the password is the one of this hash."""
        self._verified[user.identifier, self._mark(password)] = hashed

    def _mark(self, password: str) -> str:
        return hmac.new(self._pepper, password.encode(), "sha256").hexdigest()

    def is_token(self, user: User, text: str) -> bool:
        """Whether the text is one of the user's API tokens."""
        digest = _digest(text)
        return any(hmac.compare_digest(digest, token.hashed) for token in user.tokens)

    def add_token(self, user: User, name: str, text: str = "") -> tuple[Token, str]:
        """A new token ('11' and 32 hex digits); its text is only known now. ValueError for a malformed fixed one."""
        text = text or "11" + secrets.token_hex(16)
        if not re.fullmatch(r"11[0-9a-fA-F]{32}", text):
            raise ValueError("The token value must match the format: 11 followed by 32 hexadecimal digits")
        created = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        token = Token(str(uuid.uuid4()), name or f"Token created on {created}", _digest(text), created)
        user.tokens.append(token)
        user.save()
        return token, text

    def revoke(self, user: User, identifier: str) -> bool:
        """Forget a token; false when there is none of that id."""
        kept = [token for token in user.tokens if token.identifier != identifier]
        is_found = len(kept) < len(user.tokens)
        user.tokens = kept
        user.save()
        return is_found


def _digest(text: str) -> str:
    # ApiTokenStore hashes what follows the two digits of the version.
    return hashlib.sha256(text[2:].lower().encode()).hexdigest() if text.startswith("11") else ""


@dataclass(frozen=True)
class Identity:
    """Who a request comes from; `by_token` frees it from crumbs."""

    name: str = ANONYMOUS
    by_token: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Not logged in."""
        return self.name == ANONYMOUS

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups everybody, or everybody who is logged in, belongs to."""
        return (ANONYMOUS,) if self.is_anonymous else (AUTHENTICATED,)


class Authorization:
    """What users may do. Without a strategy everybody may do everything, as in a Jenkins that nobody secured."""

    def __init__(self, strategy: str = "unsecured", settings: Any = None) -> None:
        self.strategy = strategy
        settings = settings if isinstance(settings, dict) else {}
        self._allow_anonymous_read = str(settings.get("allowAnonymousRead", "true")).lower() == "true"
        self._users: dict[str, set[str]] = {}
        self._groups: dict[str, set[str]] = {}
        for entry in settings.get("entries") or []:
            for kind, grant in entry.items():
                granted = set(grant.get("permissions") or [])
                if kind in {"user", "userOrGroup"}:
                    self._users.setdefault(grant["name"].lower(), set()).update(granted)
                if kind in {"group", "userOrGroup"}:
                    self._groups.setdefault(grant["name"], set()).update(granted)

    def allows(self, identity: Identity, permission: str) -> bool:
        """Whether the user holds the permission, or one that implies it."""
        if self.strategy == "unsecured":
            return True
        if self.strategy == "loggedInUsersCanDoAnything":
            return not identity.is_anonymous or (
                self._allow_anonymous_read and permission.endswith(("/Read", "/Discover"))
            )
        held = set(self._users.get(identity.name.lower(), set()))
        # Everybody, logged in or not, belongs to 'anonymous' in a matrix.
        for group in {*identity.groups, ANONYMOUS}:
            held |= self._groups.get(group, set())
        if identity.is_anonymous:
            held |= self._users.get(ANONYMOUS, set())
        wanted = {permission, "Overall/Administer", *IMPLIED_BY.get(permission, ())}
        return bool(held & wanted)

    def require(self, identity: Identity, permission: str) -> None:
        """Forbidden unless the user holds the permission."""
        if not self.allows(identity, permission):
            raise Forbidden(identity.name, permission)
