"""Instances, launch templates and key pairs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import as_list, at, is_true
from bootstrap.local.aws.cloudformation.adapters.given import token_of
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed

ENDED = frozenset({"terminated", ""})


class Instance(Ec2):
    """AWS::EC2::Instance: complete when it runs, failed with its state's reason when it does not."""

    type = "AWS::EC2::Instance"

    def create(self, to: To) -> str:
        """One RunInstances with everything that it takes; the rest by attributes."""
        given = to.pick(
            "ImageId",
            "InstanceType",
            "SubnetId",
            "SecurityGroupIds",
            "SecurityGroups",
            "KeyName",
            "PrivateIpAddress",
            "BlockDeviceMappings",
            "EbsOptimized",
            "InstanceInitiatedShutdownBehavior",
            "MetadataOptions",
            "CpuOptions",
        )
        if "BlockDeviceMappings" in given:  # a machine here has no instance store that a virtual name could stand for
            disks = given.pop("BlockDeviceMappings")
            given |= {"BlockDeviceMappings": [one for one in disks if "VirtualName" not in one] or None}
        if "LaunchTemplate" in to.properties:
            given["LaunchTemplate"] = to.get("LaunchTemplate")
        if "UserData" in to.properties:  # botocore encodes it, and so does a template
            given["UserData"] = _decoded(to.get("UserData"))
        if "NetworkInterfaces" in to.properties:
            given["NetworkInterfaces"] = [_interface(one) for one in to.get("NetworkInterfaces")]
        if "IamInstanceProfile" in to.properties:
            given["IamInstanceProfile"] = {"Name": to.get("IamInstanceProfile")}
        if "Monitoring" in to.properties:
            given["Monitoring"] = {"Enabled": is_true(to.get("Monitoring"))}
        if "AvailabilityZone" in to.properties:
            given["Placement"] = {"AvailabilityZone": to.get("AvailabilityZone")}
        made = self._run(to, given)
        to.initiated(made)
        self._attributes(to, {"DisableApiTermination", "SourceDestCheck"} & to.properties.keys())
        for volume in to.get("Volumes") or []:
            to.call("ec2", "attach_volume", InstanceId=made, VolumeId=volume["VolumeId"], Device=volume["Device"])
        self._wait(to, "running")
        return made

    def update(self, to: To) -> None:
        """Some attributes at once, type and user data while it is stopped."""
        self._attributes(to, to.changed & {"DisableApiTermination", "SourceDestCheck"})
        if "InstanceInitiatedShutdownBehavior" in to.changed:
            named = {"Attribute": "instanceInitiatedShutdownBehavior"}  # moto does not know it by its own parameter
            value = to.get("InstanceInitiatedShutdownBehavior", "stop")
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, Value=value, **named)
        if "SecurityGroupIds" in to.changed:
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, Groups=to.get("SecurityGroupIds"))
        if "MetadataOptions" in to.changed:
            options = to.get("MetadataOptions") or {}
            to.call("ec2", "modify_instance_metadata_options", InstanceId=to.physical_id, **options)
        if "IamInstanceProfile" in to.changed:
            self._profile(to)
        if "Monitoring" in to.changed:
            verb = "monitor_instances" if is_true(to.get("Monitoring")) else "unmonitor_instances"
            to.call("ec2", verb, InstanceIds=[to.physical_id])
        stopped = to.changed & {"InstanceType", "UserData", "EbsOptimized"}
        if stopped:
            self._while_stopped(to, stopped)

    def delete(self, to: To) -> None:
        """Terminated, and waited for, since its interface holds the subnet."""
        if self._state(to) in ENDED:
            raise Gone(f"The instance {to.physical_id} is terminated")
        to.call("ec2", "terminate_instances", InstanceIds=[to.physical_id])
        to.wait(lambda: self._state(to) in ENDED, f"Instance {to.physical_id}")

    def attributes(self, to: To) -> dict[str, Any]:
        """Addresses and names."""
        found = self._found(to)
        return {
            "InstanceId": to.physical_id,
            "AvailabilityZone": at(found, "Placement.AvailabilityZone"),
            "PrivateIp": found.get("PrivateIpAddress"),
            "PrivateDnsName": found.get("PrivateDnsName"),
            "PublicIp": found.get("PublicIpAddress", ""),
            "PublicDnsName": found.get("PublicDnsName", ""),
            "VpcId": found.get("VpcId"),
            "State": found.get("State"),
        }

    def tag(self, to: To, gone: Any) -> None:
        """Its own disks too, when PropagateTagsToVolumeOnCreation says so; an attached volume keeps the tags of its maker."""
        super().tag(to, gone)
        if is_true(to.get("PropagateTagsToVolumeOnCreation")):
            found = self._found(to)
            own = {found.get("RootDeviceName"), *(one["DeviceName"] for one in to.get("BlockDeviceMappings") or [])}
            mapped = [one for one in found.get("BlockDeviceMappings", []) if one["DeviceName"] in own]
            disks = [at(one, "Ebs.VolumeId") for one in mapped]
            named = {key: value for key, value in to.tags.items() if not key.startswith("aws:")}
            to.call("ec2", "create_tags", Resources=disks, Tags=as_list(named))

    def replaces(self, to: To) -> bool:
        """Disks cannot be changed on an instance that is there."""
        return "BlockDeviceMappings" in to.changed

    def exists(self, to: To) -> bool:
        """A terminated instance is gone."""
        return self._state(to) not in ENDED

    def _run(self, to: To, given: dict[str, Any]) -> str:
        answer = to.call("ec2", "run_instances", MinCount=1, MaxCount=1, ClientToken=token_of(to), **given)
        return str(answer["Instances"][0]["InstanceId"])

    def _attributes(self, to: To, names: Any) -> None:
        for name in sorted(names):
            flag = {"Value": is_true(to.get(name))}
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, **{name: flag})

    def _profile(self, to: To) -> None:
        asked = [{"Name": "instance-id", "Values": [to.physical_id]}]
        held = to.call("ec2", "describe_iam_instance_profile_associations", Filters=asked)
        for one in held["IamInstanceProfileAssociations"]:
            to.call("ec2", "disassociate_iam_instance_profile", AssociationId=one["AssociationId"])
        if "IamInstanceProfile" in to.properties:
            profile = {"Name": to.get("IamInstanceProfile")}
            to.call("ec2", "associate_iam_instance_profile", InstanceId=to.physical_id, IamInstanceProfile=profile)

    def _while_stopped(self, to: To, names: frozenset[str]) -> None:
        to.call("ec2", "stop_instances", InstanceIds=[to.physical_id])
        self._wait(to, "stopped")
        for name in sorted(names):
            value: Any = to.get(name)
            if name == "EbsOptimized":
                value = is_true(value)
            # botocore encodes user data, and so does a template
            given = {"Value": _decoded(value) if name == "UserData" else value}
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, **{name: given})
        to.call("ec2", "start_instances", InstanceIds=[to.physical_id])
        self._wait(to, "running")

    def _wait(self, to: To, state: str) -> None:
        to.wait(lambda: self._state(to) in {state, "terminated"}, f"Instance {to.physical_id}")
        found = self._found(to)
        if at(found, "State.Name") != state:
            said = at(found, "StateReason.Message") or "it was terminated"
            raise ResourceFailed(f"The instance {to.physical_id} did not stabilize: {said}")

    def _state(self, to: To) -> str:
        try:
            return str(at(self._found(to), "State.Name") or "")
        except Gone:
            return ""

    def _found(self, to: To) -> dict[str, Any]:
        answer = to.call("ec2", "describe_instances", InstanceIds=[to.physical_id])
        found: dict[str, Any] = at(answer, "Reservations.0.Instances.0") or {}
        return found


class LaunchTemplate(Ec2):
    """AWS::EC2::LaunchTemplate: an update adds a version."""

    type = "AWS::EC2::LaunchTemplate"
    volatile = ("LatestVersionNumber",)

    def create(self, to: To) -> str:
        """Ref is its id."""
        given = to.pick("LaunchTemplateData", "VersionDescription", "TagSpecifications")
        given["LaunchTemplateName"] = to.get("LaunchTemplateName") or to.name(125)
        return str(to.call("ec2", "create_launch_template", **given)["LaunchTemplate"]["LaunchTemplateId"])

    def update(self, to: To) -> None:
        """The default version stays the first, as on AWS."""
        given = to.pick("LaunchTemplateData", "VersionDescription")
        to.call("ec2", "create_launch_template_version", LaunchTemplateId=to.physical_id, **given)

    def delete(self, to: To) -> None:
        """With all its versions."""
        to.call("ec2", "delete_launch_template", LaunchTemplateId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Version numbers are text, as on AWS."""
        found = to.call("ec2", "describe_launch_templates", LaunchTemplateIds=[to.physical_id])["LaunchTemplates"][0]
        return {
            "LaunchTemplateId": to.physical_id,
            "LatestVersionNumber": str(found["LatestVersionNumber"]),
            "DefaultVersionNumber": str(found["DefaultVersionNumber"]),
        }


class KeyPair(Ec2):
    """AWS::EC2::KeyPair; Ref is its name. Without given material the private key goes to SSM, as on AWS."""

    type = "AWS::EC2::KeyPair"

    def create(self, to: To) -> str:
        """Generated (the private key in /ec2/keypair/<id>), or imported."""
        name = str(to.get("KeyName"))
        if "PublicKeyMaterial" in to.properties:
            material = str(to.get("PublicKeyMaterial")).encode()
            to.call("ec2", "import_key_pair", KeyName=name, PublicKeyMaterial=material)
            return name
        form = to.pick("KeyType", "KeyFormat")
        made = to.call("ec2", "create_key_pair", KeyName=name, **form)
        to.call(
            "ssm",
            "put_parameter",
            Name=f"/ec2/keypair/{made['KeyPairId']}",
            Value=made["KeyMaterial"],
            Type="SecureString",
            Tags=[tag for tag in to.tag_list() if not tag["Key"].startswith("aws:")],
        )
        return name

    def delete(self, to: To) -> None:
        """With the private key."""
        pair = self._found(to)["KeyPairId"]
        to.call("ec2", "delete_key_pair", KeyName=to.physical_id)
        if "PublicKeyMaterial" not in to.properties:
            to.call("ssm", "delete_parameter", Name=f"/ec2/keypair/{pair}")

    def attributes(self, to: To) -> dict[str, Any]:
        """Id and fingerprint."""
        found = self._found(to)
        return {"KeyPairId": found["KeyPairId"], "KeyFingerprint": found["KeyFingerprint"]}

    def tag_target(self, to: To) -> str:
        """Tags are on the id."""
        return str(self._found(to)["KeyPairId"])

    def _found(self, to: To) -> dict[str, Any]:
        return dict(to.call("ec2", "describe_key_pairs", KeyNames=[to.physical_id])["KeyPairs"][0])


def _interface(one: dict[str, Any]) -> dict[str, Any]:
    """What RunInstances calls 'Groups' is called 'GroupSet' in a template."""
    return {"Groups" if name == "GroupSet" else name: value for name, value in one.items()}


def _decoded(value: Any) -> bytes:
    import base64

    return base64.b64decode(str(value or ""))


ADAPTERS = (Instance(), LaunchTemplate(), KeyPair())
