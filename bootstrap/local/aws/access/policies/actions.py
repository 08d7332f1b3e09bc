"""Finds the IAM actions that an operation needs. In most services, an action has the name of its operation.

The prefix of an action is the service name in the signature, with a few exceptions. The actions of S3 have names of their own.
"""

from __future__ import annotations

import re

from bootstrap.local.aws.access.policies.parameters import Call

# The first two need no permission; `trust` checks the third, because the trust policy of the role decides, too.
WITHOUT_PERMISSION = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"})
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses"}
_OTHER_NAMES = {
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
_S3_NAMES = {
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
    "GetBucketLifecycle": "GetLifecycleConfiguration",  # older operations, with the same requests
    "PutBucketLifecycle": "PutLifecycleConfiguration",
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
ACCOUNT_BLOCK = "/v20180820/configuration/publicAccessBlock"
"""The path of the account's public access block, whose operations have the names of those of a bucket's block."""
_OF_ACCOUNT = {
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
}
_S3_SETTINGS = re.compile(r"(Get|List|Put|Delete)Bucket(Analytics|Inventory|Metrics|IntelligentTiering)Configurations?")


def find_actions(call: Call, method: str) -> tuple[str, ...]:
    """The actions that a call needs; the first one names the operation. None for an operation that is not known."""
    if not call.operation:
        return ()
    if call.service == "s3":
        return tuple(f"s3:{name}" for name in _find_s3_actions(call))
    if call.service == "apigateway":
        return (f"apigateway:{method}",)
    prefix = _PREFIXES.get(call.service, call.service)
    if prefix == "kms" and call.operation == "ReEncrypt":
        return ("kms:ReEncryptFrom", "kms:ReEncryptTo")
    action_name = _OTHER_NAMES.get(f"{prefix}:{call.operation}", call.operation)
    further = ("cloudformation:TagResource",) if prefix == "cloudformation" and call.list_texts("Tags.Key") else ()
    return (f"{prefix}:{action_name}", *further)


def _find_s3_actions(call: Call) -> tuple[str, ...]:
    if call.path == ACCOUNT_BLOCK and call.operation in _OF_ACCOUNT:
        return (_OF_ACCOUNT[call.operation],)
    settings = _S3_SETTINGS.fullmatch(call.operation)
    if settings:
        verb = "Get" if settings[1] in {"Get", "List"} else "Put"
        return (f"{verb}{settings[2]}Configuration",)
    name = _S3_NAMES.get(call.operation, call.operation)
    versioned = {"GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging"}
    if name in versioned and call.find_text("versionId"):
        name = re.sub(r"Object", "ObjectVersion", name, count=1)
    return (name,)
