"""Users and their permissions: the local user database, API tokens and the authorization matrix."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt

from ..failures import Forbidden
from . import xmlfile
from .passwords import HASHED, LONGEST, hash_password

ANONYMOUS, AUTHENTICATED = "anonymous", "authenticated"
# The permissions that imply a permission, besides Overall/Administer, which implies every permission.
IMPLIED_BY = {"Job/Discover": ("Job/Read",), "Job/ExtendedRead": ("Job/Configure",)}
KNOWN_PERMISSIONS = {
    "Overall": ("Administer", "Manage", "Read", "SystemRead"),
    "Credentials": ("Create", "Delete", "ManageDomains", "Update", "View", "UseItem", "UseOwn"),
    "Agent": ("Build", "Configure", "Connect", "Create", "Delete", "Disconnect", "ExtendedRead", "Provision"),
    "Job": (
        *("Build", "Cancel", "Configure", "Create", "Delete", "Discover", "ExtendedRead", "Move", "Read"),
        *("ViewStatus", "Workspace"),
    ),
    "Run": ("Artifacts", "Delete", "Replay", "Update"),
    "View": ("Configure", "Create", "Delete", "Read"),
    "SCM": ("Tag",),
    "Lockable Resources": ("Reserve", "Unlock", "View"),
    "Metrics": ("HealthCheck", "ThreadDump", "View"),
}


def is_permission(name: str) -> bool:
    """Whether the emulator knows a permission of this name."""
    group, _, right = name.partition("/")
    return right in KNOWN_PERMISSIONS.get(group, ())


@dataclass
class Token:
    """An API token; only its hash is stored."""

    identifier: str
    name: str
    hashed: str
    created: str


@dataclass
class User:
    """One user; `password` is '#jbcrypt:<hash>', or empty: then nobody can sign in as this user with a password."""

    identifier: str
    full_name: str
    directory: Path
    password: str = ""
    email: str = ""
    description: str = ""
    tokens: list[Token] = field(default_factory=list)

    def save(self) -> None:
        """Write users/<directory>/config.xml."""
        root = xmlfile.make_element("user")
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
                xmlfile.read_text(node, "uuid"),
                xmlfile.read_text(node, "name"),
                xmlfile.read_text(node, "value/hash"),
                xmlfile.read_text(node, "creationDate"),
            )
            for node in root.iter("jenkins.security.apitoken.ApiTokenStore_-HashedToken")
        ]
        return cls(
            identifier,
            xmlfile.read_text(root, "fullName") or identifier,
            directory,
            xmlfile.read_text(root, "properties/hudson.security.HudsonPrivateSecurityRealm_-Details/passwordHash"),
            xmlfile.read_text(root, "properties/hudson.tasks.Mailer_-UserProperty/emailAddress"),
            xmlfile.read_text(root, "description"),
            tokens,
        )


class Users:
    """The users under JENKINS_HOME/users. The case of an identifier is ignored."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "users"
        self._users: dict[str, User] = {}
        self._verified: dict[tuple[str, str], bytes] = {}
        self._pepper = secrets.token_bytes(32)

    def load(self) -> None:
        """Read users.xml and every user that it names."""
        index = self._folder / "users.xml"
        if not index.exists():
            return
        for entry in xmlfile.parse(index.read_bytes()).iter("entry"):
            identifier, directory = (child.text for child in entry)
            if (self._folder / directory / "config.xml").exists():
                self._users[identifier.lower()] = User.load(identifier, self._folder / directory)

    def find(self, identifier: str) -> User | None:
        """Find the user of an id; None if there is none."""
        return self._users.get(identifier.lower())

    def ensure(self, identifier: str) -> User:
        """Find the user of an id, or create one without a password."""
        user = self.find(identifier)
        if user is None:
            name = re.sub(r"[^A-Za-z0-9]", "", identifier) + "_" + str(secrets.randbelow(10**19))
            user = User(identifier, identifier, self._folder / name)
            self._users[identifier.lower()] = user
            user.save()
            self._save_index()
        return user

    def list_all(self) -> list[User]:
        """List all users."""
        return list(self._users.values())

    def remove(self, user: User) -> None:
        """Remove a user with the user's folder, and so with password and tokens."""
        self._users.pop(user.identifier.lower(), None)
        self._save_index()
        shutil.rmtree(user.directory, ignore_errors=True)

    def _save_index(self) -> None:
        root = xmlfile.make_element("hudson.model.UserIdMapper")
        xmlfile.put(root, "version", 1)
        mapping = xmlfile.put(root, "idToDirectoryNameMap", class_="concurrent-hash-map")
        for user in self._users.values():
            entry = xmlfile.put(mapping, "entry")
            xmlfile.put(entry, "string", user.identifier)
            xmlfile.put(entry, "string", user.directory.name)
        xmlfile.write(self._folder / "users.xml", xmlfile.serialise(root))

    def set_password(self, user: User, password: str) -> None:
        """Set a password, plain or as '#jbcrypt:<hash>'; the hash of an unchanged plain password stays."""
        if password.startswith(HASHED):
            user.password = password
        elif not self.is_password(user, password):
            user.password = hash_password(password)
        user.save()

    def is_password(self, user: User, password: str) -> bool:
        """Whether the password is right; a right one is remembered as a keyed hash, because bcrypt takes 50 ms by design."""
        hashed = self.find_hash(user)
        if hashed and not self.is_remembered(user, password) and bcrypt.checkpw(password.encode()[:LONGEST], hashed):
            self.remember(user, password, hashed)
        return self.is_remembered(user, password)

    @staticmethod
    def find_hash(user: User) -> bytes | None:
        """Find the bcrypt hash of a user's password; None if the user has no password."""
        return user.password.removeprefix(HASHED).encode() if user.password.startswith(HASHED) else None

    def list_hashes(self) -> list[bytes]:
        """List the bcrypt hashes of all passwords."""
        return [hashed for user in self._users.values() if (hashed := self.find_hash(user))]

    def is_remembered(self, user: User, password: str) -> bool:
        """Whether the password was right before, and the user's password has not changed since."""
        return self._verified.get((user.identifier, self._digest_password(password)), b"") == self.find_hash(user)

    def remember(self, user: User, password: str, hashed: bytes) -> None:
        """Remember that the password belongs to this bcrypt hash."""
        self._verified[user.identifier, self._digest_password(password)] = hashed

    def _digest_password(self, password: str) -> str:
        return hmac.new(self._pepper, password.encode(), "sha256").hexdigest()

    def is_token(self, user: User, text: str) -> bool:
        """Whether the text is one of the user's API tokens."""
        digest = _digest_token(text)
        return any(hmac.compare_digest(digest, token.hashed) for token in user.tokens)

    def add_token(self, user: User, name: str, text: str = "") -> tuple[Token, str]:
        """Add a token, random or with a given text; returns both. ValueError unless the text is '11' and 32 hex digits."""
        text = text or "11" + secrets.token_hex(16)
        if not re.fullmatch(r"11[0-9a-fA-F]{32}", text):
            raise ValueError("The token value must match the format: 11 followed by 32 hexadecimal digits")
        now = time.time_ns()
        created = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now // 10**9))}.{now % 10**9:09d}Z"
        token = Token(str(uuid.uuid4()), name or f"Token created on {created}", _digest_token(text), created)
        user.tokens.append(token)
        user.save()
        return token, text

    def revoke(self, user: User, identifier: str) -> bool:
        """Delete a token; False if the user has no token of that id."""
        before, user.tokens = len(user.tokens), [token for token in user.tokens if token.identifier != identifier]
        user.save()
        return len(user.tokens) < before


def _digest_token(text: str) -> str:
    # ApiTokenStore hashes the text after the two digits of the version.
    return hashlib.sha256(text[2:].lower().encode()).hexdigest() if text.startswith("11") else ""


@dataclass(frozen=True)
class Identity:
    """The user who sent a request; with `by_token` the request needs no crumb."""

    name: str = ANONYMOUS
    by_token: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether the user has not signed in."""
        return self.name == ANONYMOUS

    @property
    def groups(self) -> tuple[str, ...]:
        """The built-in group of the user."""
        return (ANONYMOUS,) if self.is_anonymous else (AUTHENTICATED,)

    @property
    def authorities(self) -> tuple[str, ...]:
        """The groups, and how the user has signed in if it was by a password."""
        return self.groups if self.is_anonymous or self.by_token else (*self.groups, "FACTOR_PASSWORD")


class Authorization:
    """Decides what users may do. Without a strategy every user may do everything, as in Jenkins."""

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
        """Whether the user has the permission, or one that implies it."""
        if self.strategy == "unsecured":
            return True
        if self.strategy == "loggedInUsersCanDoAnything":
            is_reading = permission.endswith(("/Read", "/Discover"))
            return not identity.is_anonymous or (self._allow_anonymous_read and is_reading)
        held = set(self._users.get(identity.name.lower(), set()))
        # In a matrix every user belongs to 'anonymous', also after signing in.
        for group in {*identity.groups, ANONYMOUS}:
            held |= self._groups.get(group, set())
        if identity.is_anonymous:
            held |= self._users.get(ANONYMOUS, set())
        wanted = {permission, "Overall/Administer", *IMPLIED_BY.get(permission, ())}
        return bool(held & wanted)

    def require(self, identity: Identity, permission: str) -> None:
        """Raise Forbidden unless the user has the permission."""
        if not self.allows(identity, permission):
            raise Forbidden(identity.name, permission)
