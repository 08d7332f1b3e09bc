"""Reads templates and stack policies from S3."""

from __future__ import annotations

import urllib.parse
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import limits


def from_s3(client: Any, url: str) -> str:
    """The text of an object, by either form of its URL; `client` is S3's in the stack's region. Raises Refused."""
    from botocore.exceptions import ClientError

    parts = urllib.parse.urlsplit(url)
    host, path = parts.hostname or "", parts.path.lstrip("/")
    if ".s3" in host:
        bucket, key = host.split(".s3")[0], path
    else:
        bucket, _, key = path.partition("/")
    try:
        answer = client.get_object(Bucket=bucket, Key=urllib.parse.unquote(key))
    except ClientError as refusal:
        raise Refused(f"S3 error: {refusal.response['Error'].get('Message', url)}") from None
    return limits.check_object(bytes(answer["Body"].read())).decode()
