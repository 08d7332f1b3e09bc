"""The instances' metadata service (IMDSv2), on every address that the server listens on, under /latest/.

The caller is known by its source address: the private address of an instance. As with `HttpTokens: required` there is no answer
without a token (401), and none at all for an address that is no instance's (403). Credentials are those that STS gives
for the role of the instance's profile; they are taken from STS again when fewer than ten minutes are left.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.access import trust
from bootstrap.local.aws.compute.instances import Instances
from bootstrap.local.aws.server.door import Door
from bootstrap.local.aws.server.requests import Environ, Response

TOKEN_SECONDS = 21_600
RENEW_SECONDS = 600
Client = Callable[[str, str], Any]


class Metadata:
    """Answers requests under /latest/; `client` gives a service client for a region."""

    def __init__(self, door: Door, instances: Instances, client: Client) -> None:
        self._door = door
        self._instances = instances
        self._client = client
        self._tokens: dict[str, tuple[str, float]] = {}
        self._credentials: dict[str, dict[str, Any]] = {}

    def request(self, environ: Environ) -> Response:
        """Answer one request of a machine."""
        address = environ.get("REMOTE_ADDR", "")
        instance = self._instances.find(address)
        if instance is None:
            return _text(f"no instance has the address {address}", 403)
        path = environ.get("PATH_INFO", "").strip("/")
        if path == "latest/api/token":
            return self._token(environ, instance.id)
        if not self._is_known(environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN", ""), instance.id):
            return _text("a session token is required", 401)
        if environ.get("REQUEST_METHOD") != "GET":
            return _text("", 405)
        answer = self._answer(path, instance)
        return _text("", 404) if answer is None else _text(answer)

    def _token(self, environ: Environ, instance_id: str) -> Response:
        if environ.get("REQUEST_METHOD") != "PUT":
            return _text("", 405)
        asked = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", "")
        if not asked.isdigit() or not 1 <= int(asked) <= TOKEN_SECONDS:
            return _text("", 400)
        token = secrets.token_urlsafe(42)
        self._tokens[token] = (instance_id, time.monotonic() + int(asked))
        return _text(token, 200, ("X-aws-ec2-metadata-token-ttl-seconds", asked))

    def _is_known(self, token: str, instance_id: str) -> bool:
        owner, until = self._tokens.get(token, ("", 0.0))
        return owner == instance_id and time.monotonic() < until

    def _answer(self, path: str, instance: Any) -> str | None:
        if path == "latest/dynamic/instance-identity/document":
            return json.dumps(identity(instance), indent=2)
        if path in {"latest/user-data"}:
            return self._user_data(instance)
        if not path.startswith("latest/meta-data"):
            return None
        name = path.removeprefix("latest/meta-data").strip("/")
        if name.startswith("iam/"):
            return self._iam(name, instance)
        values = plain_values(instance)
        return values[name] if name in values else listing(name, [*values, "iam/info", "iam/security-credentials/"])

    def _user_data(self, instance: Any) -> str | None:
        from bootstrap.local.aws.compute.instance_records import describe

        return describe(instance).user_data.decode(errors="replace") or None

    def _iam(self, name: str, instance: Any) -> str | None:
        association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
        if association is None or not association.iam_instance_profile.roles:
            return None
        profile = association.iam_instance_profile
        role = profile.roles[0]
        if name == "iam/info":
            info = {"Code": "Success", "LastUpdated": _now(), "InstanceProfileArn": profile.arn}
            return json.dumps(info | {"InstanceProfileId": profile.id})
        if name in {"iam/security-credentials", "iam/security-credentials/"}:
            return str(role.name)
        if name == f"iam/security-credentials/{role.name}":
            if not trust.lets_service(role, "ec2.amazonaws.com", role.account_id):
                return json.dumps(_untrusted(role.name), indent=2)
            return json.dumps(self._role_credentials(instance, role), indent=2)
        return None

    def _role_credentials(self, instance: Any, role: Any) -> dict[str, Any]:
        kept = self._credentials.get(instance.id)
        if kept is None or kept["until"] - time.time() < RENEW_SECONDS or kept["role"] != role.arn:
            sts = self._client("sts", instance.ec2_backend.region_name)
            given = sts.assume_role(RoleArn=role.arn, RoleSessionName=instance.id)["Credentials"]
            kept = {"role": role.arn, "until": given["Expiration"].timestamp(), "given": given, "at": _now()}
            self._credentials[instance.id] = kept
        given = kept["given"]
        return {
            "Code": "Success",
            "LastUpdated": kept["at"],
            "Type": "AWS-HMAC",
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "Expiration": given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _untrusted(role: str) -> dict[str, str]:
    """What the service says of a role whose trust policy does not name EC2."""
    url = "http://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html#troubleshoot-iam-role"
    message = f"EC2 cannot assume the role {role}. Please see documentation at {url}"
    return {"Code": "AssumeRoleUnauthorizedAccess", "Message": message, "LastUpdated": _now()}


def plain_values(instance: Any) -> dict[str, str]:
    """The metadata that is plain text, by path."""
    zone = instance.availability_zone
    values = {
        "ami-id": instance.image_id or "",
        "hostname": instance.private_dns_name,
        "instance-id": instance.id,
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
    if instance.public_ip:
        values["public-ipv4"] = instance.public_ip
    return values


def identity(instance: Any) -> dict[str, Any]:
    """The instance identity document."""
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


def listing(folder: str, names: list[str]) -> str | None:
    """What lies in a folder of the metadata, one name a line; nothing for an unknown path."""
    prefix = f"{folder}/" if folder else ""
    below = sorted({name[len(prefix) :] for name in names if name.startswith(prefix)})
    shown = {rest.split("/")[0] + ("/" if "/" in rest else "") for rest in below}
    return "\n".join(sorted(shown)) or None


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _text(body: str, status: int = 200, *headers: tuple[str, str]) -> Response:
    return Response(status, (("Content-Type", "text/plain"), *headers), body.encode())
