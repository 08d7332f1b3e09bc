"""The bucket of an environment from which its machine downloads the files of Jenkins, each under its SHA-256.

The machine needs no right for that: it gets addresses which the caller signed, and which are valid for an hour. They lead to
S3 of the environment's region, which every subnet with a route table of the network reaches through the gateway endpoint.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from bootstrap import wording
from bootstrap.cloud import refusals
from bootstrap.runs.transfer_progress import TransferMeter
from bootstrap.values import Change, ChangeKind, Reporter

STACK = "distribution"
OUTPUT = "DistributionBucket"
_VALID_SECONDS = 3600  # longer than the machine's downloads may take
_FOLDER = "files"
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_PAGE = 1000  # objects in one request to delete


def name_key(sha256: str) -> str:
    """The key of a file in the bucket."""
    return f"{_FOLDER}/{sha256}"


def offer(s3: Any, signer: Any, bucket: str, files: Mapping[str, bytes | Path], report: Reporter) -> Mapping[str, str]:
    """Upload what the bucket lacks of these files (by SHA-256) and return the address of each, signed by the client `signer`.

    If AWS refuses, a notice says why, and there are no addresses: the files are sent then.
    """
    try:
        _upload(s3, bucket, files, report)
        return {
            digest: signer.generate_presigned_url(
                "get_object", Params={"Bucket": bucket, "Key": name_key(digest)}, ExpiresIn=_VALID_SECONDS
            )
            for digest in files
        }
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        report.notice(f"the bucket {bucket} cannot be used, so the files are sent: {refusals.format_error(error)}")
        return {}


def _upload(s3: Any, bucket: str, files: Mapping[str, bytes | Path], report: Reporter) -> None:
    lacking = {digest: content for digest, content in files.items() if not _has(s3, bucket, digest, content)}
    if not lacking:
        return
    sizes = {digest: _measure_size(content) for digest, content in lacking.items()}
    title = f"uploading {wording.count_noun(len(lacking), 'file')} to the bucket {bucket}"
    done = 0
    with TransferMeter(report, title, sum(sizes.values())) as meter:
        for digest, content in lacking.items():
            with _open(content) as stream:
                s3.put_object(
                    Bucket=bucket,
                    Key=name_key(digest),
                    Body=_Observed(stream, sizes[digest], _make_progress(meter, done)),
                    ContentLength=sizes[digest],
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=_convert_to_base64(digest),  # S3 refuses a body with another one
                )
            done += sizes[digest]
            meter.move_to(done)


def _make_progress(meter: TransferMeter, before: int) -> Callable[[int], None]:
    return lambda position: meter.move_to(before + position)


def _has(s3: Any, bucket: str, digest: str, content: bytes | Path) -> bool:
    """Whether the bucket has this file, with its checksum as S3 computed it."""
    try:
        head = s3.head_object(Bucket=bucket, Key=name_key(digest), ChecksumMode="ENABLED")
    except Exception as error:
        if refusals.read_code(error) in _MISSING:
            return False
        raise
    return bool(
        head["ContentLength"] == _measure_size(content) and head.get("ChecksumSHA256") == _convert_to_base64(digest)
    )


def empty_bucket(s3: Any, bucket: str, report: Reporter) -> None:
    """Delete every object of the bucket, because S3 deletes no bucket with objects. A bucket that does not exist is empty."""
    count = 0
    try:
        while listed := s3.list_objects_v2(Bucket=bucket, MaxKeys=_PAGE).get("Contents", ()):
            objects = [{"Key": each["Key"]} for each in listed]
            refused = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors", ())
            count += len(objects) - len(refused)
            if refused:
                first = refused[0]
                report.notice(f"{first['Key']} of the bucket {bucket} is not deleted: {first.get('Message', '')}")
                break
    except Exception as error:
        if refusals.read_code(error) != "NoSuchBucket":
            raise
    if count:
        report.change(Change("stack", ChangeKind.REMOVE, f"{wording.count_noun(count, 'file')} in the bucket {bucket}"))


def _open(content: bytes | Path) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def _measure_size(content: bytes | Path) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def _convert_to_base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


class _Observed:
    """An open file whose reader is observed; botocore reads it again after an error, so the position counts, not the sum."""

    def __init__(self, stream: BinaryIO, size: int, tell: Callable[[int], None]) -> None:
        self._stream = stream
        self._size = size
        self._tell = tell

    def __len__(self) -> int:
        return self._size

    def read(self, count: int = -1) -> bytes:
        """Read on, and say how far that is."""
        block = self._stream.read(count)
        self._tell(self._stream.tell())
        return block

    def seek(self, place: int, whence: int = 0) -> int:
        """Move to a place, as a file does."""
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        """The place."""
        return self._stream.tell()
