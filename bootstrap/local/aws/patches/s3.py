"""Changes moto's S3: the guard alone judges bucket policies, because moto ignores conditions; checksums are checked."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from bootstrap.local.aws.persistence import randomness

_CHECKED = ("SHA256", "SHA1", "CRC32")  # the algorithms that moto always has


class S3Patches:
    """The changes of moto's S3; a part of `patches.Patches`."""

    def _s3_models(self, module: Any) -> None:
        from moto.iam.access_control import PermissionResult

        original = module.FakeBucket.__init__

        @functools.wraps(original)
        def init(bucket: Any, *args: Any, **kwargs: Any) -> None:
            original(bucket, *args, **kwargs)
            bucket.creation_date = randomness.utcnow().replace(tzinfo=datetime.UTC)

        module.FakeBucket.__init__ = init
        module.FakeBucket.get_permission = lambda _bucket, _action, _resource: PermissionResult.NEUTRAL

    def _s3_responses(self, module: Any) -> None:
        original = module.S3Response._get_checksum

        @functools.wraps(original)
        def get_checksum(response: Any, headers: dict[str, Any]) -> Any:
            _check_body(module, response)
            return original(response, headers)

        module.S3Response._get_checksum = get_checksum


def _check_body(module: Any, response: Any) -> None:
    """Refuse a body that differs from the checksum in a header. In a body of chunks the checksum comes at the end."""
    from moto.s3.exceptions import S3ClientError

    if str(response.headers.get("x-amz-content-sha256", "")).startswith("STREAMING-"):
        return
    for algorithm in _CHECKED:
        given = response.headers.get(f"x-amz-checksum-{algorithm.lower()}")
        if given and given.encode() != module.compute_checksum(response.raw_body, algorithm=algorithm):
            text = f"The {algorithm} you specified did not match the calculated checksum."
            raise S3ClientError("BadDigest", text)
