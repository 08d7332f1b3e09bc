"""The environment's secrets: CloudFormation makes them in Secrets Manager, and they are read when they are needed.

The certificates are stored there, too, so that all launchers of the environment use the same ones.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from bootstrap.cloud import certificates
from bootstrap.cloud.certificates import Certificates
from bootstrap.values import Secret


def read_secret(client: Any, arn: str) -> Secret:
    """The text of one secret."""
    return Secret(client.get_secret_value(SecretId=arn)["SecretString"])


def read_certificates(client: Any, arn: str) -> Certificates | None:
    """The stored certificates; None before the first were issued."""
    return certificates.from_json(read_secret(client, arn).reveal())


def ensure_certificates(
    client: Any, arn: str, names: Sequence[str], addresses: Sequence[str]
) -> tuple[Certificates, bool]:
    """The certificates for these names and addresses, and whether they are new; stored ones are used if they are good."""
    stored = read_certificates(client, arn)
    issued = certificates.issue(stored, list(names), list(addresses), datetime.datetime.now(datetime.UTC))
    if issued != stored:
        client.put_secret_value(SecretId=arn, SecretString=certificates.to_json(issued))
    return issued, issued != stored
