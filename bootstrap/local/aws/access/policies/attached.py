"""Finds in moto the policies of a caller, and the policies of resources."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.access import identities
from bootstrap.local.aws.access.identities import Principal
from bootstrap.local.aws.access.policies.documents import Policy, parse_policy
from bootstrap.local.aws.access.policies.evaluation import Policies


def find_policies(principal: Principal) -> Policies:
    """The policies of a user or a role, its permissions boundary, and its session policies."""
    holder = identities.find_role(principal.source_arn) or identities.find_user(principal.source_arn)
    if holder is None:
        return Policies()
    sessions = tuple(parse_policy("session", text) for text in principal.session_policies)
    return Policies(tuple(_list_identity_policies(holder)), find_boundary(holder), sessions)


def find_boundary(holder: Any) -> Policy | None:
    """The permissions boundary of a user or a role; a boundary that does not exist (any more) allows nothing."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    if not arn:
        return None
    managed = _find_managed_policy(holder, arn)
    return managed or Policy(arn, ())


def _list_identity_policies(holder: Any) -> Iterator[Policy]:
    for source in (holder, *_list_groups(holder)):
        for name, text in list(source.policies.items()):
            yield parse_policy(name, text)
        for managed in list(source.managed_policies.values()):
            yield parse_policy(managed.arn, _read_document(managed))


def _list_groups(holder: Any) -> list[Any]:
    backend = _find_iam_backend(holder)
    return [group for group in list(backend.groups.values()) if holder in group.users]


def _find_managed_policy(holder: Any, arn: str) -> Policy | None:
    managed = _find_iam_backend(holder).managed_policies.get(arn)
    return parse_policy(arn, _read_document(managed)) if managed is not None else None


def _read_document(managed: Any) -> str:
    document = next(
        version.document for version in managed.versions if version.version_id == managed.default_version_id
    )
    return document if isinstance(document, str) else json.dumps(document)


def _find_iam_backend(holder: Any) -> Any:
    accounts = sys.modules["moto.iam.models"].iam_backends
    return accounts[holder.account_id][holder.arn.split(":")[1]]


def find_resource_policy(arn: str) -> Policy | None:
    """The policy of a resource: a bucket, a key, a secret, a topic or a queue."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    read = _READERS.get(parts[2])
    text = read(parts) if read is not None else None
    if isinstance(text, bytes):
        text = text.decode()
    return parse_policy(arn, text if isinstance(text, str) else json.dumps(text)) if text else None


def find_backend(service: str, account: str, region: str) -> Any | None:
    """moto's backend of a service; None if the service was not used. This call does not create the backend."""
    module = sys.modules.get(f"moto.{service}.models")
    backends = getattr(module, f"{service}_backends", None)
    if backends is None or account not in backends:
        return None
    regions = backends[account]
    return dict.get(regions, region)


def _read_bucket_policy(parts: list[str]) -> Any:
    accounts = getattr(sys.modules.get("moto.s3.models"), "s3_backends", {})
    name = parts[5].split("/")[0]
    buckets = [
        backend.buckets[name]
        for account in list(accounts.values())
        for backend in account.values()
        if name in backend.buckets
    ]
    return buckets[0].policy if buckets else None


def _read_key_policy(parts: list[str]) -> Any:
    kms = find_backend("kms", parts[4], parts[3])
    key = kms.keys.get(parts[5].removeprefix("key/")) if kms else None
    return key.policy if key else None


def _read_secret_policy(parts: list[str]) -> Any:
    backend = find_backend("secretsmanager", parts[4], parts[3])
    secrets = list(backend.secrets.values()) if backend else []
    arn = ":".join(parts)
    return next((getattr(secret, "policy", None) for secret in secrets if secret.arn == arn), None)


def _read_topic_policy(parts: list[str]) -> Any:
    sns = find_backend("sns", parts[4], parts[3])
    topic = sns.topics.get(":".join(parts)) if sns else None
    return topic.policy if topic else None


def _read_queue_policy(parts: list[str]) -> Any:
    sqs = find_backend("sqs", parts[4], parts[3])
    queue = sqs.queues.get(parts[5]) if sqs else None
    return getattr(queue, "policy", None) if queue else None


_READERS = {
    "s3": _read_bucket_policy,
    "kms": _read_key_policy,
    "secretsmanager": _read_secret_policy,
    "sns": _read_topic_policy,
    "sqs": _read_queue_policy,
}
