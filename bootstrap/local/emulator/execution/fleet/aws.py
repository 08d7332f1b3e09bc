"""The only door to AWS: what ec2-fleet asks of Auto Scaling and of EC2, with its parameters.

The calls block, so they run in a thread. Region and endpoint are those of the cloud's settings, else of the environment, as the
SDK of Jenkins takes them; with a region and no endpoint the plugin itself names the public endpoint of that region. The library
is imported at the first call: a Jenkins without such clouds does not need it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

TAG = "ec2-fleet-plugin:cloud-name"
_ENDED = frozenset({"terminated", "stopped", "stopping", "shutting-down"})
_NOT_FOUND = "InvalidInstanceID.NotFound"
_ATTEMPTS, _CONNECT_SECONDS, _READ_SECONDS = 6, 2, 30
_METADATA_ATTEMPTS = 3
_SDK = "software.amazon.awssdk.core.exception.SdkClientException"
_BATCH = 900  # instances in one request


class AwsFailed(Exception):
    """A call failed; the text is the Java exception as Jenkins shows it."""


@dataclass(frozen=True)
class GroupState:
    """A group: how many instances it should have, and the ids of those that it has; `status` is 'active' while it lives."""

    desired: int
    instances: frozenset[str]
    status: str = "active"


@dataclass(frozen=True)
class Instance:
    """An instance that has not ended; an address is empty until EC2 has given it."""

    identifier: str
    state: str
    private_address: str
    public_address: str


class Aws:
    """AWS as one cloud reaches it; `variables` is the environment of the service."""

    def __init__(self, region: str, endpoint: str, variables: Mapping[str, str]) -> None:
        self._given_region, self._given_endpoint = region, endpoint
        self._region = region or variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or ""
        self._endpoint = variables.get("AWS_ENDPOINT_URL", "")

    def describe_group(self, name: str) -> GroupState:
        """Read a group; AwsFailed if there is none."""
        answer = self._call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
        if not answer["AutoScalingGroups"]:
            words = f"Cannot find auto scaling group with name {name} in region {self._given_region}"
            raise AwsFailed(f"java.lang.IllegalArgumentException: {words}")
        group = answer["AutoScalingGroups"][0]
        members = frozenset(str(entry["InstanceId"]) for entry in group["Instances"])
        return GroupState(int(group["DesiredCapacity"]), members, str(group.get("Status") or "active"))

    def resize_group(self, name: str, minimum: int, maximum: int, desired: int) -> None:
        """Set the sizes of a group, and that the group itself ends none of its new instances."""
        sizes = {"MinSize": minimum, "MaxSize": maximum, "DesiredCapacity": desired}
        name_and_protection = {"AutoScalingGroupName": name, "NewInstancesProtectedFromScaleIn": True}
        self._call("autoscaling", "update_auto_scaling_group", **name_and_protection, **sizes)

    def terminate(self, identifier: str) -> None:
        """End one instance of a group, whose size was lowered before."""
        request = {"InstanceId": identifier, "ShouldDecrementDesiredCapacity": False}
        self._call("autoscaling", "terminate_instance_in_auto_scaling_group", **request)

    def describe_instances(self, identifiers: frozenset[str]) -> dict[str, Instance]:
        """The instances among these that have not ended; EC2 may not know some of them any more."""
        wanted, found = sorted(identifiers), dict[str, Instance]()
        while wanted:
            batch = wanted[:_BATCH]
            try:
                answer = self._call("ec2", "describe_instances", InstanceIds=batch)
            except AwsFailed as fault:
                unknown = set(re.findall(r"i-[0-9a-f]+", str(fault))) if _NOT_FOUND in str(fault) else set()
                if not unknown & set(batch):
                    raise
                wanted = [identifier for identifier in wanted if identifier not in unknown]
                continue
            for reservation in answer["Reservations"]:
                for entry in reservation["Instances"]:
                    instance = _read_instance(entry)
                    if instance.state not in _ENDED:
                        found[instance.identifier] = instance
            wanted = wanted[len(batch) :]
        return found

    def tag(self, identifiers: Sequence[str], cloud: str) -> None:
        """Write the name of the cloud on instances."""
        self._call("ec2", "create_tags", Resources=list(identifiers), Tags=[{"Key": TAG, "Value": cloud}])

    # The library

    def _call(self, service: str, operation: str, **request: Any) -> Any:
        if not self._region:
            raise AwsFailed(f"{_SDK}: Unable to load region from any of the providers in the chain")
        exceptions = _load_library().exceptions
        endpoint = self._find_endpoint(service)
        try:
            client = _make_client(service, self._region, endpoint)
            return getattr(client, operation)(**request)
        except exceptions.ClientError as fault:
            raise AwsFailed(_describe_refusal(service, fault.response)) from fault
        except exceptions.NoCredentialsError as fault:
            # A client stays without credentials for ever, and the machine's may come later.
            _make_client.cache_clear()
            _load_library.cache_clear()
            raise AwsFailed(f"{_SDK}: Unable to load credentials from any of the providers in the chain") from fault
        except (exceptions.BotoCoreError, ValueError) as fault:
            raise AwsFailed(f"{_SDK}: {_describe_fault(fault, endpoint)}") from fault

    def _find_endpoint(self, service: str) -> str:
        if self._given_endpoint:
            return self._given_endpoint
        if self._given_region:
            domain = "amazonaws.com.cn" if self._given_region.startswith("cn-") else "amazonaws.com"
            return f"https://{service}.{self._given_region}.{domain}"
        return self._endpoint


def _read_instance(entry: Mapping[str, Any]) -> Instance:
    return Instance(
        str(entry["InstanceId"]),
        str(entry["State"]["Name"]),
        str(entry.get("PrivateIpAddress") or ""),
        str(entry.get("PublicIpAddress") or ""),
    )


def _describe_refusal(service: str, response: Mapping[str, Any]) -> str:
    name = {"autoscaling": "autoscaling.model.AutoScalingException", "ec2": "ec2.model.Ec2Exception"}[service]
    error, more = response.get("Error") or {}, response.get("ResponseMetadata") or {}
    place = {"autoscaling": "AutoScaling", "ec2": "Ec2"}[service]
    details = f"(Service: {place}, Status Code: {more.get('HTTPStatusCode')}, Request ID: {more.get('RequestId')})"
    return f"software.amazon.awssdk.services.{name}: {error.get('Code')}: {error.get('Message')} {details}"


def _describe_fault(fault: Exception, endpoint: str) -> str:
    words = str(fault)
    if "Name or service not known" in words or "Failed to resolve" in words or "Temporary failure" in words:
        return "Received an UnknownHostException when attempting to interact with a service."
    if type(fault).__name__ == "EndpointConnectionError":
        refused = f"Connect to {endpoint} failed: Connection refused (SDK Attempt Count: {_ATTEMPTS})"
        return f"Unable to execute HTTP request: {refused}"
    return f"Unable to execute HTTP request: {words} (SDK Attempt Count: {_ATTEMPTS})"


@dataclass(frozen=True)
class _Library:
    session: Any
    exceptions: Any
    config: Any


@cache
def _load_library() -> _Library:
    try:
        import boto3.session
        import botocore.config
        import botocore.exceptions
        import botocore.session
    except ImportError as fault:
        words = "the emulator needs the package python3-boto3 for a cloud of ec2-fleet, and does not have it"
        raise AwsFailed(f"java.lang.NoClassDefFoundError: {words}") from fault
    session = botocore.session.Session()
    session.set_config_variable("metadata_service_timeout", _CONNECT_SECONDS)
    session.set_config_variable("metadata_service_num_attempts", _METADATA_ATTEMPTS)
    return _Library(boto3.session.Session(botocore_session=session), botocore.exceptions, botocore.config)


@cache
def _make_client(service: str, region: str, endpoint: str) -> Any:
    library = _load_library()
    config = library.config.Config(
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
    )
    return library.session.client(service, region_name=region, endpoint_url=endpoint or None, config=config)
