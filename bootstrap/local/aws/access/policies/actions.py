"""Which actions of IAM an operation needs: its own name in most services, and the exceptions.

The prefix is the name that requests are signed with, but for a few; S3 names actions otherwise than operations throughout.
"""

from __future__ import annotations

import re

from bootstrap.local.aws.access.policies.parameters import Call

# The first two need no permission; of the third the role's trust policy is asked, too (see `trust`).
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"})
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}
_NAMES = {
    "lambda:Invoke": "InvokeFunction",
    "lambda:InvokeAsync": "InvokeFunction",
    "lambda:InvokeWithResponseStream": "InvokeFunction",
    "sqs:SendMessageBatch": "SendMessage",
    "sqs:DeleteMessageBatch": "DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "sns:PublishBatch": "Publish",
    "dynamodb:TransactGetItems": "GetItem",
    "dynamodb:TransactWriteItems": "PutItem",
    "dynamodb:ExecuteStatement": "PartiQLSelect",
}
_S3 = {
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
}
_S3_SETTINGS = re.compile(r"(Get|List|Put|Delete)Bucket(Analytics|Inventory|Metrics|IntelligentTiering)Configurations?")


def of(call: Call, method: str) -> tuple[str, ...]:
    """The actions, the first of which names the operation; none for an operation that is not known."""
    if not call.operation:
        return ()
    if call.service == "s3":
        return tuple(f"s3:{name}" for name in _of_s3(call))
    if call.service == "apigateway":
        return (f"apigateway:{method}",)
    prefix = _PREFIXES.get(call.service, call.service)
    if prefix == "kms" and call.operation == "ReEncrypt":
        return ("kms:ReEncryptFrom", "kms:ReEncryptTo")
    named = _NAMES.get(f"{prefix}:{call.operation}", call.operation)
    more = ("cloudformation:TagResource",) if prefix == "cloudformation" and call.texts("Tags.Key") else ()
    return (f"{prefix}:{named}", *more)


def _of_s3(call: Call) -> tuple[str, ...]:
    settings = _S3_SETTINGS.fullmatch(call.operation)
    if settings:
        verb = "Get" if settings[1] in {"Get", "List"} else "Put"
        return (f"{verb}{settings[2]}Configuration",)
    name = _S3.get(call.operation, call.operation)
    versioned = {"GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging"}
    if name in versioned and call.text("versionId"):
        name = re.sub(r"Object", "ObjectVersion", name, count=1)
    return (name,)
