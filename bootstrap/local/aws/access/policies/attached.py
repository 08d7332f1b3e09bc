"""The policies that IAM has for a caller, and those that resources have themselves, as moto keeps them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.access import identities
from bootstrap.local.aws.access.identities import Principal
from bootstrap.local.aws.access.policies.documents import Policy, policy
from bootstrap.local.aws.access.policies.evaluation import Policies


def of(principal: Principal) -> Policies:
    """What is attached to a user or a role, with its boundary, and what bounds the session."""
    holder = identities.find_role(principal.source_arn) or identities.find_user(principal.source_arn)
    if holder is None:
        return Policies()
    sessions = tuple(policy("session", text) for text in principal.session_policies)
    return Policies(tuple(_identity(holder)), boundary(holder), sessions)


def boundary(holder: Any) -> Policy | None:
    """The permissions boundary; one that does not exist (any more) allows nothing."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    if not arn:
        return None
    found = _managed(holder, arn)
    return found or Policy(arn, ())


def _identity(holder: Any) -> Iterator[Policy]:
    for source in (holder, *_groups(holder)):
        for name, text in list(source.policies.items()):
            yield policy(name, text)
        for one in list(source.managed_policies.values()):
            yield policy(one.arn, _text(one))


def _groups(holder: Any) -> list[Any]:
    backend = _backend(holder)
    return [group for group in list(backend.groups.values()) if holder in group.users]


def _managed(holder: Any, arn: str) -> Policy | None:
    found = _backend(holder).managed_policies.get(arn)
    return policy(arn, _text(found)) if found is not None else None


def _text(managed: Any) -> str:
    document = next(one.document for one in managed.versions if one.version_id == managed.default_version_id)
    return document if isinstance(document, str) else json.dumps(document)


def _backend(holder: Any) -> Any:
    accounts = sys.modules["moto.iam.models"].iam_backends
    return accounts[holder.account_id][holder.arn.split(":")[1]]


def of_resource(arn: str) -> Policy | None:
    """The policy that the resource has itself: a bucket's, a key's, a secret's, a topic's, a queue's."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    finder = _FINDERS.get(parts[2])
    text = finder(parts) if finder is not None else None
    if isinstance(text, bytes):
        text = text.decode()
    return policy(arn, text if isinstance(text, str) else json.dumps(text)) if text else None


def backend(service: str, account: str, region: str) -> Any | None:
    """moto's backend of a service, where it was used; reading it makes nothing."""
    module = sys.modules.get(f"moto.{service}.models")
    backends = getattr(module, f"{service}_backends", None)
    if backends is None or account not in backends:
        return None
    regions = backends[account]
    return dict.get(regions, region)


def _bucket(parts: list[str]) -> Any:
    accounts = getattr(sys.modules.get("moto.s3.models"), "s3_backends", {})
    name = parts[5].split("/")[0]
    found = [
        one.buckets[name] for account in list(accounts.values()) for one in account.values() if name in one.buckets
    ]
    return found[0].policy if found else None


def _key(parts: list[str]) -> Any:
    keys = backend("kms", parts[4], parts[3])
    found = keys.keys.get(parts[5].removeprefix("key/")) if keys else None
    return found.policy if found else None


def _secret(parts: list[str]) -> Any:
    secrets = backend("secretsmanager", parts[4], parts[3])
    every = list(secrets.secrets.values()) if secrets else []
    arn = ":".join(parts)
    return next((getattr(one, "policy", None) for one in every if one.arn == arn), None)


def _topic(parts: list[str]) -> Any:
    topics = backend("sns", parts[4], parts[3])
    found = topics.topics.get(":".join(parts)) if topics else None
    return found.policy if found else None


def _queue(parts: list[str]) -> Any:
    queues = backend("sqs", parts[4], parts[3])
    found = queues.queues.get(parts[5]) if queues else None
    return getattr(found, "policy", None) if found else None


_FINDERS = {"s3": _bucket, "kms": _key, "secretsmanager": _secret, "sns": _topic, "sqs": _queue}
