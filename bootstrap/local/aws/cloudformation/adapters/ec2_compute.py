"""Instances, launch templates and key pairs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import decode_user_data, find_at, is_true, list_tags
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import make_token
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed

ENDED = frozenset({"terminated", ""})


class Instance(Ec2):
    """AWS::EC2::Instance; Ref is its id.

    It is complete when it runs; if it does not, the reason of its state is the error.
    """

    type = "AWS::EC2::Instance"

    def create(self, to: To) -> str:
        """Start the instance, set what RunInstances does not take, and wait until it runs; return its id."""
        parameters = to.pick(
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
        if "BlockDeviceMappings" in parameters:  # machines here have no instance store, which a virtual name means
            disks = parameters.pop("BlockDeviceMappings")
            parameters |= {"BlockDeviceMappings": [one for one in disks if "VirtualName" not in one] or None}
        if "LaunchTemplate" in to.properties:
            parameters["LaunchTemplate"] = to.get("LaunchTemplate")
        if "UserData" in to.properties:  # the template has base64, and botocore encodes it again
            parameters["UserData"] = decode_user_data(to.get("UserData"))
        if "NetworkInterfaces" in to.properties:
            parameters["NetworkInterfaces"] = [_convert_interface(one) for one in to.get("NetworkInterfaces")]
        if "IamInstanceProfile" in to.properties:
            parameters["IamInstanceProfile"] = {"Name": to.get("IamInstanceProfile")}
        if "Monitoring" in to.properties:
            parameters["Monitoring"] = {"Enabled": is_true(to.get("Monitoring"))}
        if "AvailabilityZone" in to.properties:
            parameters["Placement"] = {"AvailabilityZone": to.get("AvailabilityZone")}
        instance = self._run(to, parameters)
        to.initiated(instance)
        self._set_flags(to, {"DisableApiTermination", "SourceDestCheck"} & to.properties.keys())
        for volume in to.get("Volumes") or []:
            to.call("ec2", "attach_volume", InstanceId=instance, VolumeId=volume["VolumeId"], Device=volume["Device"])
        self._wait(to, "running")
        return instance

    def update(self, to: To) -> None:
        """Change attributes in place; stop the instance to change type, user data or EBS optimization."""
        self._set_flags(to, to.changed & {"DisableApiTermination", "SourceDestCheck"})
        if "InstanceInitiatedShutdownBehavior" in to.changed:
            named = {"Attribute": "instanceInitiatedShutdownBehavior"}  # moto ignores the parameter of its own
            value = to.get("InstanceInitiatedShutdownBehavior", "stop")
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, Value=value, **named)
        if "SecurityGroupIds" in to.changed:
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, Groups=to.get("SecurityGroupIds"))
        if "MetadataOptions" in to.changed:
            options = to.get("MetadataOptions") or {}
            to.call("ec2", "modify_instance_metadata_options", InstanceId=to.physical_id, **options)
        if "IamInstanceProfile" in to.changed:
            self._set_profile(to)
        if "Monitoring" in to.changed:
            verb = "monitor_instances" if is_true(to.get("Monitoring")) else "unmonitor_instances"
            to.call("ec2", verb, InstanceIds=[to.physical_id])
        stopped = to.changed & {"InstanceType", "UserData", "EbsOptimized"}
        if stopped:
            self._change_while_stopped(to, stopped)

    def delete(self, to: To) -> None:
        """Terminate the instance and wait for that: until then its interface uses the subnet. Raises Gone."""
        if self._read_state(to) in ENDED:
            raise Gone(f"The instance {to.physical_id} is terminated")
        to.call("ec2", "terminate_instances", InstanceIds=[to.physical_id])
        to.wait(lambda: self._read_state(to) in ENDED, f"Instance {to.physical_id}")

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return addresses, DNS names, zone, VPC and state."""
        instance = self._describe(to)
        return {
            "InstanceId": to.physical_id,
            "AvailabilityZone": find_at(instance, "Placement.AvailabilityZone"),
            "PrivateIp": instance.get("PrivateIpAddress"),
            "PrivateDnsName": instance.get("PrivateDnsName"),
            "PublicIp": instance.get("PublicIpAddress", ""),
            "PublicDnsName": instance.get("PublicDnsName", ""),
            "VpcId": instance.get("VpcId"),
            "State": instance.get("State"),
        }

    def tag(self, to: To, removed: Any) -> None:
        """Tag the instance; with PropagateTagsToVolumeOnCreation also the disks that were created with it."""
        super().tag(to, removed)
        if is_true(to.get("PropagateTagsToVolumeOnCreation")):
            instance = self._describe(to)
            own = {instance.get("RootDeviceName"), *(one["DeviceName"] for one in to.get("BlockDeviceMappings") or [])}
            mapped = [one for one in instance.get("BlockDeviceMappings", []) if one["DeviceName"] in own]
            disks = [find_at(one, "Ebs.VolumeId") for one in mapped]
            own_tags = {key: value for key, value in to.tags.items() if not key.startswith("aws:")}
            to.call("ec2", "create_tags", Resources=disks, Tags=list_tags(own_tags))

    def replaces(self, to: To) -> bool:
        """Return whether the disks change: they cannot be changed on an existing instance."""
        return "BlockDeviceMappings" in to.changed

    def exists(self, to: To) -> bool:
        """Return whether the instance is not terminated."""
        return self._read_state(to) not in ENDED

    def _run(self, to: To, parameters: dict[str, Any]) -> str:
        answer = to.call("ec2", "run_instances", MinCount=1, MaxCount=1, ClientToken=make_token(to), **parameters)
        return str(answer["Instances"][0]["InstanceId"])

    def _set_flags(self, to: To, names: Any) -> None:
        for name in sorted(names):
            flag = {"Value": is_true(to.get(name))}
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, **{name: flag})

    def _set_profile(self, to: To) -> None:
        filters = [{"Name": "instance-id", "Values": [to.physical_id]}]
        answer = to.call("ec2", "describe_iam_instance_profile_associations", Filters=filters)
        for association in answer["IamInstanceProfileAssociations"]:
            to.call("ec2", "disassociate_iam_instance_profile", AssociationId=association["AssociationId"])
        if "IamInstanceProfile" in to.properties:
            profile = {"Name": to.get("IamInstanceProfile")}
            to.call("ec2", "associate_iam_instance_profile", InstanceId=to.physical_id, IamInstanceProfile=profile)

    def _change_while_stopped(self, to: To, names: frozenset[str]) -> None:
        to.call("ec2", "stop_instances", InstanceIds=[to.physical_id])
        self._wait(to, "stopped")
        for name in sorted(names):
            value: Any = to.get(name)
            if name == "EbsOptimized":
                value = is_true(value)
            # the template has user data in base64, and botocore encodes it again
            attribute = {"Value": decode_user_data(value) if name == "UserData" else value}
            to.call("ec2", "modify_instance_attribute", InstanceId=to.physical_id, **{name: attribute})
        to.call("ec2", "start_instances", InstanceIds=[to.physical_id])
        self._wait(to, "running")

    def _wait(self, to: To, state: str) -> None:
        to.wait(lambda: self._read_state(to) in {state, "terminated"}, f"Instance {to.physical_id}")
        instance = self._describe(to)
        if find_at(instance, "State.Name") != state:
            reason = find_at(instance, "StateReason.Message") or "it was terminated"
            raise ResourceFailed(f"The instance {to.physical_id} did not stabilize: {reason}")

    def _read_state(self, to: To) -> str:
        try:
            return str(find_at(self._describe(to), "State.Name") or "")
        except Gone:
            return ""

    def _describe(self, to: To) -> dict[str, Any]:
        answer = to.call("ec2", "describe_instances", InstanceIds=[to.physical_id])
        instance: dict[str, Any] = find_at(answer, "Reservations.0.Instances.0") or {}
        return instance


class LaunchTemplate(Ec2):
    """AWS::EC2::LaunchTemplate; Ref is its id. An update adds a version."""

    type = "AWS::EC2::LaunchTemplate"
    volatile = ("LatestVersionNumber",)

    def create(self, to: To) -> str:
        """Create the launch template and return its id."""
        parameters = to.pick("LaunchTemplateData", "VersionDescription", "TagSpecifications")
        parameters["LaunchTemplateName"] = to.get("LaunchTemplateName") or to.generate_name()
        return str(to.call("ec2", "create_launch_template", **parameters)["LaunchTemplate"]["LaunchTemplateId"])

    def update(self, to: To) -> None:
        """Add a version; as on AWS, the default version is still the first one."""
        parameters = to.pick("LaunchTemplateData", "VersionDescription")
        to.call("ec2", "create_launch_template_version", LaunchTemplateId=to.physical_id, **parameters)

    def delete(self, to: To) -> None:
        """Delete the launch template with all its versions."""
        to.call("ec2", "delete_launch_template", LaunchTemplateId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id and the version numbers, which are text as on AWS."""
        template = to.call("ec2", "describe_launch_templates", LaunchTemplateIds=[to.physical_id])["LaunchTemplates"][0]
        return {
            "LaunchTemplateId": to.physical_id,
            "LatestVersionNumber": str(template["LatestVersionNumber"]),
            "DefaultVersionNumber": str(template["DefaultVersionNumber"]),
        }


class KeyPair(Ec2):
    """AWS::EC2::KeyPair; Ref is its name. As on AWS, the private key of a generated pair is stored in SSM."""

    type = "AWS::EC2::KeyPair"

    def create(self, to: To) -> str:
        """Import the public key, or generate a pair and store the private key in /ec2/keypair/<id>; return the name."""
        name = str(to.get("KeyName"))
        if "PublicKeyMaterial" in to.properties:
            material = str(to.get("PublicKeyMaterial")).encode()
            to.call("ec2", "import_key_pair", KeyName=name, PublicKeyMaterial=material)
            return name
        form = to.pick("KeyType", "KeyFormat")
        pair = to.call("ec2", "create_key_pair", KeyName=name, **form)
        to.call(
            "ssm",
            "put_parameter",
            Name=f"/ec2/keypair/{pair['KeyPairId']}",
            Value=pair["KeyMaterial"],
            Type="SecureString",
            Tags=[tag for tag in to.list_tags() if not tag["Key"].startswith("aws:")],
        )
        return name

    def delete(self, to: To) -> None:
        """Delete the key pair and the stored private key."""
        pair = self._describe(to)["KeyPairId"]
        to.call("ec2", "delete_key_pair", KeyName=to.physical_id)
        if "PublicKeyMaterial" not in to.properties:
            to.call("ssm", "delete_parameter", Name=f"/ec2/keypair/{pair}")

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id and fingerprint."""
        pair = self._describe(to)
        return {"KeyPairId": pair["KeyPairId"], "KeyFingerprint": pair["KeyFingerprint"]}

    def find_tag_target(self, to: To) -> str:
        """Return the id of the pair, which CreateTags takes."""
        return str(self._describe(to)["KeyPairId"])

    def _describe(self, to: To) -> dict[str, Any]:
        return dict(to.call("ec2", "describe_key_pairs", KeyNames=[to.physical_id])["KeyPairs"][0])


def _convert_interface(interface: dict[str, Any]) -> dict[str, Any]:
    """Rename GroupSet of a template to Groups of RunInstances."""
    return {"Groups" if name == "GroupSet" else name: value for name, value in interface.items()}


ADAPTERS = (Instance(), LaunchTemplate(), KeyPair())
