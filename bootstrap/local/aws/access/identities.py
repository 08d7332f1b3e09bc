"""The keys that this cloud issued, and whose they are: the operator's, those of IAM users, those of STS's sessions.

Users' keys and the credentials of assumed roles lie in moto, which the journal fills again after a restart. The sessions of
GetSessionToken are events of the journal themselves.
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
    """Who calls. Nothing is refused to the operator, the account's administrator."""

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
        """Whether it is the account's administrator."""
        return self.kind == OPERATOR


@dataclass(frozen=True)
class Issued:
    """One access key: its secret, the token that must come with it, and until when it is good."""

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
        """What was issued under this id; None where nothing was, or it has expired."""
        if access_key == self._operator.access_key:
            return Issued(self._operator.secret_key, self.operator)
        session = self._sessions.get(access_key)
        if session is not None:
            return self._of_session(session)
        for backend in _iam_backends():
            key = backend.access_keys.get(access_key)
            if key is not None:
                return _of_user(backend, key) if key.user_name else _of_role(backend, key)
        return None

    def new_session(self, parent: str, seconds: int) -> Record:
        """What a journal keeps of a session for the owner of the key `parent`; `keep_session` is told of it."""
        letters = string.ascii_uppercase + string.digits
        return {
            "access_key": "ASIA" + "".join(secrets.choice(letters) for _ in range(16)),
            "secret": secrets.token_urlsafe(30),
            "token": secrets.token_urlsafe(180),
            "expires": int(time.time()) + seconds,
            "parent": parent,
        }

    def keep_session(self, record: Record) -> None:
        """Take a session up, new or from the journal."""
        self._sessions[record["access_key"]] = record

    def _of_session(self, session: Record) -> Issued | None:
        """A session is good as long as the key is that asked for it."""
        parent = self.find(session["parent"])
        if parent is None:
            return None
        return Issued(session["secret"], parent.principal, session["token"], session["expires"])


def _iam_backends() -> Iterator[Any]:
    """IAM's backends, of each account and partition; none before IAM was used."""
    accounts = getattr(sys.modules.get("moto.iam.models"), "iam_backends", {})  # {} also while it is being imported
    for account in list(accounts.values()):
        yield from list(account.values())


def _of_user(backend: Any, key: Any) -> Issued | None:
    user = backend.users.get(key.user_name)
    if user is None or key.status != "Active":
        return None
    tags = {tag["Key"]: tag["Value"] for tag in backend.tagger.list_tags_for_resource(user.arn)["Tags"]}
    return Issued(
        key.secret_access_key, Principal(USER, user.arn, user.account_id, user.id, user.name, user.arn, tags=tags)
    )


def _of_role(backend: Any, key: Any) -> Issued | None:
    backends = getattr(sys.modules.get("moto.sts.models"), "sts_backends", None)
    if backends is None:
        return None
    sessions = backends[backend.account_id][backend.partition]
    session = sessions.get_assumed_role_from_access_key(key.access_key_id)
    role = find_role(session.role_arn) if session is not None else None
    if role is None:
        return None
    given = getattr(session, "bootstrap_session", {})
    policies = tuple(given.get("policies", ()))
    tags = {**{tag["Key"]: tag["Value"] for tag in role.tags or ()}, **given.get("tags", {})}
    user_id = f"{role.id}:{session.session_name}"
    principal = Principal(ROLE, session.arn, session.account_id, user_id, role.name, role.arn, policies, tags)
    expires = session.expiration.replace(tzinfo=None)
    return Issued(session.secret_access_key, principal, session.session_token, _seconds(expires))


def find_role(arn: str) -> Any | None:
    """The IAM role with this ARN."""
    for backend in _iam_backends():
        for role in list(backend.roles.values()):
            if role.arn == arn:
                return role
    return None


def find_user(arn: str) -> Any | None:
    """The IAM user with this ARN."""
    for backend in _iam_backends():
        for user in list(backend.users.values()):
            if user.arn == arn:
                return user
    return None


def roles_of_profile(name: str) -> list[str]:
    """The ARNs of the roles in an instance profile, which is named or given by its ARN."""
    every = [one for backend in _iam_backends() for one in list(backend.instance_profiles.values())]
    return [str(role.arn) for one in every if name in {one.name, one.arn} for role in one.roles]


def _seconds(moment: Any) -> float:
    import datetime

    return float(moment.replace(tzinfo=datetime.UTC).timestamp())
