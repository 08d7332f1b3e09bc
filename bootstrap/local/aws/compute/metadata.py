"""The metadata service of instances (IMDSv2), under /latest/ on every address that the server listens on.

The source address of a request identifies the instance: it is the instance's private address. A request without a session
token gets status 401, as with `HttpTokens: required`. A request from an address of no instance gets 403. The credentials come
from STS, for the role of the instance's profile. They are renewed when they are valid for less than ten minutes.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.access import trust
from bootstrap.local.aws.compute import spot
from bootstrap.local.aws.compute.instances import Instances
from bootstrap.local.aws.scaling import members
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.requests import Environ, Response

TOKEN_SECONDS = 21_600
RENEW_SECONDS = 600
GetClient = Callable[[str, str], Any]


class Metadata:
    """Answers requests under /latest/; `get_client` returns the client of a service in a region."""

    def __init__(self, door: Door, instances: Instances, get_client: GetClient) -> None:
        self._door = door
        self._instances = instances
        self._get_client = get_client
        self._tokens: dict[str, tuple[str, float]] = {}
        self._credentials: dict[str, dict[str, Any]] = {}

    def answer(self, environ: Environ) -> Response:
        """Answer one request of a machine; an unknown path gets 404."""
        address = environ.get("REMOTE_ADDR", "")
        instance = self._instances.find_at(address)
        if instance is None:
            return _make_response(f"no instance has the address {address}", 403)
        path = environ.get("PATH_INFO", "").strip("/")
        if path == "latest/api/token":
            return self._make_token(environ, instance.id)
        if not self._is_valid_token(environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN", ""), instance.id):
            return _make_response("a session token is required", 401)
        if environ.get("REQUEST_METHOD") != "GET":
            return _make_response("", 405)
        value = self._find_value(path, instance)
        return _make_response("", 404) if value is None else _make_response(value)

    def _make_token(self, environ: Environ, instance_id: str) -> Response:
        if environ.get("REQUEST_METHOD") != "PUT":
            return _make_response("", 405)
        seconds = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", "")
        if not seconds.isdigit() or not 1 <= int(seconds) <= TOKEN_SECONDS:
            return _make_response("", 400)
        token = secrets.token_urlsafe(42)
        self._tokens[token] = (instance_id, time.monotonic() + int(seconds))
        return _make_response(token, 200, ("X-aws-ec2-metadata-token-ttl-seconds", seconds))

    def _is_valid_token(self, token: str, instance_id: str) -> bool:
        owner, until = self._tokens.get(token, ("", 0.0))
        return owner == instance_id and time.monotonic() < until

    def _find_value(self, path: str, instance: Any) -> str | None:
        if path == "latest/dynamic/instance-identity/document":
            return json.dumps(make_identity_document(instance), indent=2)
        if path in {"latest/user-data"}:
            return self._read_user_data(instance)
        if not path.startswith("latest/meta-data"):
            return None
        name = path.removeprefix("latest/meta-data").strip("/")
        if name.startswith("iam/"):
            return self._answer_iam(name, instance)
        values = list_values(instance)
        return values[name] if name in values else list_folder(name, [*values, "iam/info", "iam/security-credentials/"])

    def _read_user_data(self, instance: Any) -> str | None:
        from bootstrap.local.aws.compute.instance_records import make_spec

        return make_spec(instance).user_data.decode(errors="replace") or None

    def _answer_iam(self, name: str, instance: Any) -> str | None:
        association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
        if association is None or not association.iam_instance_profile.roles:
            return None
        profile = association.iam_instance_profile
        role = profile.roles[0]
        if name == "iam/info":
            info = {"Code": "Success", "LastUpdated": _format_now(), "InstanceProfileArn": profile.arn}
            return json.dumps(info | {"InstanceProfileId": profile.id})
        if name in {"iam/security-credentials", "iam/security-credentials/"}:
            return str(role.name)
        if name == f"iam/security-credentials/{role.name}":
            if not trust.trusts_service(role, "ec2.amazonaws.com", role.account_id):
                return json.dumps(_make_refusal(role.name), indent=2)
            return json.dumps(self._find_credentials(instance, role), indent=2)
        return None

    def _find_credentials(self, instance: Any, role: Any) -> dict[str, Any]:
        cached = self._credentials.get(instance.id)
        if cached is None or cached["until"] - time.time() < RENEW_SECONDS or cached["role"] != role.arn:
            sts = self._get_client("sts", instance.ec2_backend.region_name)
            credentials = sts.assume_role(RoleArn=role.arn, RoleSessionName=instance.id)["Credentials"]
            cached = {
                "role": role.arn,
                "until": credentials["Expiration"].timestamp(),
                "given": credentials,
                "at": _format_now(),
            }
            self._credentials[instance.id] = cached
        credentials = cached["given"]
        return {
            "Code": "Success",
            "LastUpdated": cached["at"],
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials["AccessKeyId"],
            "SecretAccessKey": credentials["SecretAccessKey"],
            "Token": credentials["SessionToken"],
            "Expiration": credentials["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _make_refusal(role: str) -> dict[str, str]:
    """The answer for a role whose trust policy does not allow EC2 to assume it, in EC2's words."""
    url = "http://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html#troubleshoot-iam-role"
    message = f"EC2 cannot assume the role {role}. Please see documentation at {url}"
    return {"Code": "AssumeRoleUnauthorizedAccess", "Message": message, "LastUpdated": _format_now()}


def list_values(instance: Any) -> dict[str, str]:
    """The values that are plain text, by their paths below /latest/meta-data/."""
    zone = instance.availability_zone
    values = {
        "ami-id": instance.image_id or "",
        "hostname": instance.private_dns_name,
        "instance-id": instance.id,
        "instance-life-cycle": instance.lifecycle or "on-demand",
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns_name,
        "local-ipv4": instance.private_ip,
        "mac": instance.nics[0].mac_address,
        "placement/availability-zone": zone,
        "placement/region": instance.ec2_backend.region_name,
        "security-groups": "\n".join(group.name for group in instance.security_groups),
    }
    pair = instance.ec2_backend.key_pairs.get(instance.key_name) if instance.key_name else None
    if pair is not None:
        values["public-keys/0/openssh-key"] = pair.public_key.strip()
    membership = members.find_membership(instance)
    if membership is not None:
        values["autoscaling/target-lifecycle-state"] = (
            "Terminated" if membership[1].lifecycle_state in members.LEAVING else "InService"
        )
    notice = spot.find_notice(instance)
    if notice is not None:  # without an interruption, these paths do not exist
        values |= {"spot/instance-action": json.dumps(notice), "spot/termination-time": notice["time"]}
    if instance.public_ip:
        values["public-ipv4"] = instance.public_ip
    return values


def make_identity_document(instance: Any) -> dict[str, Any]:
    """The instance identity document, with the keys that EC2 documents."""
    return {
        "accountId": instance.ec2_backend.account_id,
        "architecture": instance.architecture,
        "availabilityZone": instance.availability_zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "pendingTime": instance.launch_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "privateIp": instance.private_ip,
        "region": instance.ec2_backend.region_name,
        "version": "2017-09-30",
    }


def list_folder(folder: str, names: list[str]) -> str | None:
    """The names in a folder of the metadata, one a line, and folders with a slash; None for an unknown path."""
    prefix = f"{folder}/" if folder else ""
    paths = sorted({name[len(prefix) :] for name in names if name.startswith(prefix)})
    entries = {rest.split("/")[0] + ("/" if "/" in rest else "") for rest in paths}
    return "\n".join(sorted(entries)) or None


def _format_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _make_response(body: str, status: int = 200, *headers: tuple[str, str]) -> Response:
    return Response(status, (("Content-Type", "text/plain"), *headers), body.encode())
