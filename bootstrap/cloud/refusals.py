"""Converts errors of AWS, and errors of the connection to it, into expected failures with a remedy.

The remedy depends on the error code of the service, or on the name of botocore's exception. Nothing here imports botocore, so
that commands which call no cloud start faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.errors import AwsRefused

_EXPIRED_CREDENTIALS = (
    "The credentials have expired: log in again ('aws sso login', or a new session token), and check the clock."
)
_UNKNOWN_CREDENTIALS = (
    "AWS does not know these credentials: check AWS_PROFILE and the keys, this machine's clock, and that the region is enabled "
    "for the account."
)
_DENIED = "The credentials do not allow this: 'doctor --policy' prints the policy that the toolkit needs."
_NO_CREDENTIALS = "Set AWS_PROFILE, or log in: 'aws configure sso', then 'aws sso login'."
_NO_LOGIN = "Log in again: aws sso login (with --profile, where AWS_PROFILE is set)."
_THROTTLED = "AWS throttled several attempts: wait a minute, then run the same command; it continues from there."
_NO_CONNECTION = (
    "Check that AWS can be reached: the network, a proxy (HTTPS_PROXY, AWS_CA_BUNDLE), and that the 'region' of the "
    "environment file exists. The same command continues from there."
)
_QUOTA = "A quota of the account is used up: delete what is not needed, or request an increase in Service Quotas."
_REMEDIES = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired"), _EXPIRED_CREDENTIALS),
    **dict.fromkeys(("InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"), _UNKNOWN_CREDENTIALS),
    **dict.fromkeys(("SignatureDoesNotMatch", "InvalidSignatureException", "OptInRequired"), _UNKNOWN_CREDENTIALS),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _DENIED),
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"), _THROTTLED
    ),
    **dict.fromkeys(("ServiceUnavailable", "InternalFailure", "InternalError", "WaiterError"), _THROTTLED),
    **dict.fromkeys(
        ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoRegionError"), _NO_CREDENTIALS
    ),
    **dict.fromkeys(("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError", "SSOError"), _NO_LOGIN),
    **dict.fromkeys(("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "SSLError"), _NO_CONNECTION),
    **dict.fromkeys(
        ("ProxyConnectionError", "ConnectionClosedError", "HTTPClientError", "ConnectionError"), _NO_CONNECTION
    ),
    "ProfileNotFound": "AWS_PROFILE is not a profile in ~/.aws/config: 'aws configure list-profiles' lists the profiles.",
    "InvalidRegionError": "Correct 'region' in the environment file.",
}
_OTHER = "Check that the credentials are valid and allow this; 'doctor' checks identity, region and permissions."


def is_from_aws(error: BaseException) -> bool:
    """Whether an exception comes from AWS or the connection to it: from botocore or boto3. Any other exception is a bug.

    The module is compared because botocore makes the exception classes of a client at run time.
    """
    return any(kind.__module__.split(".")[0] in {"botocore", "boto3"} for kind in type(error).__mro__)


def read_code(error: BaseException) -> str:
    """The error code of AWS, or the name of botocore's exception."""
    answer: Any = getattr(error, "response", None)
    error_code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return str(error_code or type(error).__name__)


def choose_remedy(error: BaseException) -> str:
    """The remedy for an error of AWS."""
    error_code = read_code(error)
    return _REMEDIES.get(error_code) or (
        _QUOTA if error_code.endswith(("LimitExceeded", "LimitExceededException")) else _OTHER
    )


def format_error(error: BaseException) -> str:
    """Code and message of an error, on one line."""
    answer: Any = getattr(error, "response", None)
    message = answer.get("Error", {}).get("Message") if isinstance(answer, dict) else None
    return f"{read_code(error)}: {message or error}".replace("\n", " ")


@contextmanager
def convert_errors(doing: str) -> Iterator[None]:
    """Convert errors of AWS inside the block into AwsRefused, with the operation that failed."""
    try:
        yield
    except Exception as error:
        if not is_from_aws(error):
            raise
        operation: Any = getattr(error, "operation_name", None)
        raise AwsRefused(
            f"{doing}, asking AWS for {operation}" if operation else doing, format_error(error), choose_remedy(error)
        ) from error
