"""The environment's secrets: made by CloudFormation, kept in its own Secrets Manager, read when they are needed.

The certificates lie there too, so that whoever may launch the environment serves the same ones.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from bootstrap.cloud import certificates
from bootstrap.cloud.certificates import Certificates
from bootstrap.values import Secret


def read_secret(client: Any, arn: str) -> Secret:
    """One secret's text."""
    return Secret(client.get_secret_value(SecretId=arn)["SecretString"])


def read_certificates(client: Any, arn: str) -> Certificates | None:
    """The kept certificates, or None before the first were issued."""
    return certificates.from_json(read_secret(client, arn).reveal())


def ensure_certificates(
    client: Any, arn: str, names: Sequence[str], addresses: Sequence[str]
) -> tuple[Certificates, bool]:
    """The certificates for these names, and whether they had to be issued: kept ones are used while they are good."""
    kept = read_certificates(client, arn)
    issued = certificates.issue(kept, list(names), list(addresses), datetime.datetime.now(datetime.UTC))
    if issued != kept:
        client.put_secret_value(SecretId=arn, SecretString=certificates.to_json(issued))
    return issued, issued != kept
