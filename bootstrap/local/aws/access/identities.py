"""The access keys that this cloud issued, and their owners: the operator, IAM users, and sessions of STS.

moto keeps the keys of users and the credentials of assumed roles; after a restart, the replay of the journal makes them again.
Sessions of GetSessionToken are events of the journal.
"""

from __future__ import annotations

import secrets
import string
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.access.keys import Keys
from bootstrap.local.aws.persistence.journal import Record

ACCOUNT = "123456789012"  # moto's default account
OPERATOR = "operator"
ROLE, USER = "role", "user"


@dataclass(frozen=True)
class Principal:
    """Who calls. The operator is the administrator of the account and may do everything."""

    kind: str
    arn: str
    account: str
    user_id: str
    name: str  # of the user or of the role
    source_arn: str  # the user's or the role's own ARN, which policies name
    session_policies: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_operator(self) -> bool:
        """Whether this is the administrator of the account."""
        return self.kind == OPERATOR


@dataclass(frozen=True)
class Issued:
    """One access key: its secret, the session token that a request must have with it, and when it expires."""

    secret: str
    principal: Principal
    token: str = ""
    expires: float | None = None


class Identities:
    """Finds the owner of an access key."""

    def __init__(self, operator: Keys) -> None:
        self._operator = operator
        arn = f"arn:aws:iam::{ACCOUNT}:user/{OPERATOR}"
        user_id = f"AIDA{operator.access_key[4:]}"
        self.operator = Principal(OPERATOR, arn, ACCOUNT, user_id, OPERATOR, arn)
        self._sessions: dict[str, Record] = {}

    def find(self, access_key: str) -> Issued | None:
        """The access key with this id; None if this cloud did not issue it, or if it is not valid any more."""
        if access_key == self._operator.access_key:
            return Issued(self._operator.secret_key, self.operator)
        session = self._sessions.get(access_key)
        if session is not None:
            return self._describe_session_key(session)
        for backend in _list_iam_backends():
            key = backend.access_keys.get(access_key)
            if key is not None:
                return _describe_user_key(backend, key) if key.user_name else _describe_role_key(backend, key)
        return None

    def make_session(self, parent: str, seconds: int) -> Record:
        """Make the record of a new session for the owner of the key `parent`; the journal and `keep_session` get it."""
        letters = string.ascii_uppercase + string.digits
        return {
            "access_key": "ASIA" + "".join(secrets.choice(letters) for _ in range(16)),
            "secret": secrets.token_urlsafe(30),
            "token": secrets.token_urlsafe(180),
            "expires": int(time.time()) + seconds,
            "parent": parent,
        }

    def keep_session(self, record: Record) -> None:
        """Add a session, which is new or comes from the journal."""
        self._sessions[record["access_key"]] = record

    def _describe_session_key(self, session: Record) -> Issued | None:
        """A session is valid as long as the access key exists that requested it."""
        parent = self.find(session["parent"])
        if parent is None:
            return None
        return Issued(session["secret"], parent.principal, session["token"], session["expires"])


def _list_iam_backends() -> Iterator[Any]:
    """moto's IAM backends of all accounts and partitions; none before IAM was used."""
    accounts = getattr(sys.modules.get("moto.iam.models"), "iam_backends", {})  # {} also while it is being imported
    for account in list(accounts.values()):
        yield from list(account.values())


def _describe_user_key(backend: Any, key: Any) -> Issued | None:
    user = backend.users.get(key.user_name)
    if user is None or key.status != "Active":
        return None
    tags = {tag["Key"]: tag["Value"] for tag in backend.tagger.list_tags_for_resource(user.arn)["Tags"]}
    return Issued(
        key.secret_access_key, Principal(USER, user.arn, user.account_id, user.id, user.name, user.arn, tags=tags)
    )


def _describe_role_key(backend: Any, key: Any) -> Issued | None:
    backends = getattr(sys.modules.get("moto.sts.models"), "sts_backends", None)
    if backends is None:
        return None
    sessions = backends[backend.account_id][backend.partition]
    session = sessions.get_assumed_role_from_access_key(key.access_key_id)
    role = find_role(session.role_arn) if session is not None else None
    if role is None:
        return None
    settings = getattr(session, "bootstrap_session", {})
    policies = tuple(settings.get("policies", ()))
    tags = {**{tag["Key"]: tag["Value"] for tag in role.tags or ()}, **settings.get("tags", {})}
    user_id = f"{role.id}:{session.session_name}"
    principal = Principal(ROLE, session.arn, session.account_id, user_id, role.name, role.arn, policies, tags)
    expires = session.expiration.replace(tzinfo=None)
    return Issued(session.secret_access_key, principal, session.session_token, _convert_to_seconds(expires))


def find_role(arn: str) -> Any | None:
    """The IAM role with this ARN."""
    for backend in _list_iam_backends():
        for role in list(backend.roles.values()):
            if role.arn == arn:
                return role
    return None


def find_user(arn: str) -> Any | None:
    """The IAM user with this ARN."""
    for backend in _list_iam_backends():
        for user in list(backend.users.values()):
            if user.arn == arn:
                return user
    return None


def list_profile_roles(name: str) -> list[str]:
    """The ARNs of the roles in an instance profile; `name` is its name or its ARN."""
    profiles = [profile for backend in _list_iam_backends() for profile in list(backend.instance_profiles.values())]
    return [str(role.arn) for profile in profiles if name in {profile.name, profile.arn} for role in profile.roles]


def _convert_to_seconds(moment: Any) -> float:
    import datetime

    return float(moment.replace(tzinfo=datetime.UTC).timestamp())
