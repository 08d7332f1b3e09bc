"""Reads templates, their snippets and stack policies from S3."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import includes, limits


def fetch_from_s3(client: Any, url: str) -> str:
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


def include(text: str, given_values: dict[str, str], region: str, client: Callable[[], Any]) -> str:
    """The template with its snippets in S3 (AWS::Include); `client` gives S3's in the stack's region. Raises Refused."""

    def fetch(bucket: str, key: str) -> str:
        from botocore.exceptions import ClientError

        try:
            body = bytes(client().get_object(Bucket=bucket, Key=key)["Body"].read())
            return limits.check_object(body).decode()
        except ClientError as refusal:
            error = refusal.response["Error"]
            if error.get("Code") == "NoSuchBucket":
                raise includes.make_failure(f"S3 bucket [{bucket}] does not exist.") from None
            raise includes.make_failure(str(error.get("Message", key))) from None
        except UnicodeDecodeError:
            raise includes.make_failure(includes.INVALID) from None

    return includes.expand(text, given_values, region, fetch)
