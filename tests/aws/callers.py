"""Who calls the local cloud, and what it says: requests without a signature, clients with any keys, refusals."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws.conftest import Cloud

STRANGER = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG"}
ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
FORM = "application/x-www-form-urlencoded"


def api(cloud: Cloud, service: str, **keys: Any) -> Any:
    """A client with any keys, which asks once."""
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name="eu-central-1", config=ONCE, **keys)


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message of the error with which a call must fail."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error.get("Message", "")


def ask(cloud: Cloud, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of the answer to a request without a signature; '_' in the name of a header stands for '-'."""
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), dict(answer.getheaders())


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement of a policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}
