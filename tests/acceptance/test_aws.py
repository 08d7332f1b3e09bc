"""The environment's resources in the account: complete, encrypted, tagged and closed."""

from __future__ import annotations

from typing import Any

from bootstrap.context import Context
from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.stacks.composition import OF_JOBS

WORLD = {"0.0.0.0/0", "::/0"}


def test_the_stacks_are_complete(stacks_told: dict[str, dict[str, Any]], context: Context) -> None:
    """Every stack exists, and its last operation succeeded."""
    good = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}

    assert set(context.wanted) == set(stacks_told)
    assert {} == {name: it["StackStatus"] for name, it in stacks_told.items() if it["StackStatus"] not in good}


def test_the_data_cannot_be_deleted_by_mistake(stacks_told: dict[str, dict[str, Any]]) -> None:
    """The data stack has termination protection."""
    assert stacks_told["data"].get("EnableTerminationProtection") is True


def test_every_resource_has_its_tags(
    tags_of_resources: dict[str, dict[str, str]], volumes: dict[str, dict[str, Any]], context: Context
) -> None:
    """Every taggable resource of the stacks, and each volume, has the seven tags and those of the environment file."""
    wished = {key: value for key, value in context.make_tags("", "").items() if value}
    of_volumes = {name: {tag["Key"]: tag["Value"] for tag in it.get("Tags", ())} for name, it in volumes.items()}
    found = {**tags_of_resources, **of_volumes}

    wrong = {shown: missing for shown, tags in found.items() if (missing := _missing(shown, wished, tags))}

    assert {} == wrong
    assert len(tags_of_resources) > 10


def _missing(shown: str, wished: dict[str, str], tags: dict[str, str]) -> list[str]:
    differing = [f"{key} is {tags.get(key)}, not {value}" for key, value in wished.items() if tags.get(key) != value]
    if "AWS::EC2::LaunchTemplate" in shown:
        return (
            differing  # CloudFormation gives it no stack tags: the toolkit sets those that do not change with each run
        )
    # These two name the run that last changed the thing, which may be an earlier one.
    return differing + [f"{key} is missing" for key in ("Commit", "Run") if not tags.get(key)]


def test_the_data_volume_is_attached(volumes: dict[str, dict[str, Any]], context: Context) -> None:
    """The data volume is attached to this machine."""
    volume = volumes[context.outputs("data")["DataVolumeId"]]

    attached = [(it["InstanceId"], it["State"]) for it in volume["Attachments"]]

    assert [(context.outputs("controller")["InstanceId"], "attached")] == attached


def test_every_volume_is_encrypted(volumes: dict[str, dict[str, Any]], context: Context) -> None:
    """The data volume and the root volume are encrypted, with the customer key where the environment file names one."""
    assert [] == [name for name, volume in volumes.items() if not volume["Encrypted"]]
    key = context.settings.account.kms_key_arn
    assert {} == {name: it.get("KmsKeyId") for name, it in volumes.items() if key and it.get("KmsKeyId") != key}


def test_the_machine_has_a_root_volume(
    volumes: dict[str, dict[str, Any]], instance: dict[str, Any], context: Context
) -> None:
    """The root volume is not the data volume, and is deleted with the instance."""
    mappings = {it["DeviceName"]: it["Ebs"] for it in instance["BlockDeviceMappings"]}
    root = mappings[instance["RootDeviceName"]]

    assert root["VolumeId"] in volumes
    assert context.outputs("data")["DataVolumeId"] != root["VolumeId"]
    assert root["DeleteOnTermination"] is True


def test_metadata_requires_imdsv2(instance: dict[str, Any]) -> None:
    """The metadata service requires IMDSv2 and answers only the machine itself."""
    options = instance["MetadataOptions"]

    assert ("required", 1) == (options["HttpTokens"], options["HttpPutResponseHopLimit"])


def test_the_machine_has_no_public_address(instance: dict[str, Any]) -> None:
    """The machine has no public address."""
    assert not instance.get("PublicIpAddress")


def test_the_machine_is_in_its_own_group(instance: dict[str, Any], context: Context) -> None:
    """The machine has the controller's security group and no other."""
    assert [context.outputs("network")["ControllerSecurityGroupId"]] == [
        group["GroupId"] for group in instance["SecurityGroups"]
    ]


def test_the_group_admits_only_known_sources(
    security_groups: dict[str, dict[str, Any]], stacks_told: dict[str, dict[str, Any]], context: Context
) -> None:
    """The machine's security group admits only operators, bastion, edge, agents and a peer's controller."""
    network = context.outputs("network")
    blocks = context.settings.access.operator_cidrs
    is_direct, has_bastion = context.settings.ssh == "direct", context.settings.network.bastion is not None
    wished = {("tcp", port, port, block) for block in blocks for port in (22, 443) if port == 443 or is_direct}
    if has_bastion or context.settings.ssh != "session-manager":
        wished |= {("tcp", 22, 22, network["BastionSecurityGroupId"])}
    wished |= {("tcp", 443, 443, network[group]) for group in ("EdgeSecurityGroupId", "AgentsSecurityGroupId")}
    peering = {it["ParameterKey"]: it["ParameterValue"] for it in stacks_told.get("peering", {}).get("Parameters", ())}
    wished |= {("tcp", 443, 443, peering["PeerControllerGroup"])} if peering else set()
    wished |= {("tcp", 22, 22, group) for group in _find_groups_of_jobs(security_groups, context)}

    assert wished == _ingress(security_groups[network["ControllerSecurityGroupId"]])


def _find_groups_of_jobs(security_groups: dict[str, dict[str, Any]], context: Context) -> list[str]:
    """The security group by which the agents of the toolkit's jobs reach the machine, which has the name of their stack."""
    if not takes_toolkit_jobs(context.settings.agents):
        return []
    name = {"Key": "Name", "Value": context.settings.name_stack(OF_JOBS)}
    return [group for group, it in security_groups.items() if name in it.get("Tags", ())]


def test_no_group_is_open_to_the_internet(security_groups: dict[str, dict[str, Any]]) -> None:
    """No security group of the network is open to the whole Internet."""
    open_to_all = {
        group["GroupName"]: sorted(map(str, rules))
        for group in security_groups.values()
        if (rules := {rule for rule in _ingress(group) if rule[3] in WORLD})
    }

    assert {} == open_to_all


def _ingress(group: dict[str, Any]) -> set[tuple[Any, ...]]:
    """The rules that let something in: protocol, ports, and from where."""
    return {
        (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"), source)
        for rule in group["IpPermissions"]
        for source in (
            *(it["CidrIp"] for it in rule.get("IpRanges", ())),
            *(it["CidrIpv6"] for it in rule.get("Ipv6Ranges", ())),
            *(it["GroupId"] for it in rule.get("UserIdGroupPairs", ())),
            *(it["PrefixListId"] for it in rule.get("PrefixListIds", ())),
        )
    }


def test_the_secrets_are_kept(kept_secrets: dict[str, dict[str, Any]], context: Context) -> None:
    """Every secret exists, has a value and the customer key, if there is one, and is not scheduled for deletion."""
    key = context.settings.account.kms_key_arn
    assert {} == {name: it.get("KmsKeyId") for name, it in kept_secrets.items() if key and it.get("KmsKeyId") != key}
    assert [] == [name for name, told in kept_secrets.items() if not told.get("VersionIdsToStages")]
    assert [] == [name for name, told in kept_secrets.items() if told.get("DeletedDate")]


def test_the_machines_role_is_bounded(machines_rights: dict[str, str]) -> None:
    """The machine's role reads no key of the authority and no administrator's password, nor changes the second network."""
    assert {} == {what: decision for what, decision in machines_rights.items() if decision == "allowed"}
    assert len(machines_rights) >= 2


def test_the_authoritys_key_is_not_beside_the_certificates(key_beside_certificates: bool) -> None:
    """The key of the environment's authority is in a secret of its own."""
    assert not key_beside_certificates


def test_the_secrets_cannot_be_guessed(context: Context) -> None:
    """The toolkit's password and token are long and differ."""
    password, token = context.controller.password.reveal(), context.controller.token.reveal()

    # Truths alone are asserted, so that a failure shows no secret.
    is_long = len(password) >= 24 and len(set(password)) >= 10
    is_token = len(token) == 34 and len(set(token)) >= 8
    assert (True, True, True) == (is_long, is_token, password != token)


def test_the_bucket_is_closed(files_bucket: dict[str, Any], context: Context) -> None:
    """The bucket with the files of Jenkins, if there is one, is encrypted, private and for TLS alone, and its files expire."""
    assert bool(files_bucket) == context.settings.jenkins.bucket
    if not files_bucket:
        return
    key = context.settings.account.kms_key_arn
    wished = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    assert [wished] == files_bucket["encryption"]
    assert [True] * 4 == list(files_bucket["blocks"].values())
    denied = {it["Sid"]: it.get("Condition") for it in files_bucket["statements"] if it["Effect"] == "Deny"}
    assert {"OnlyTls": {"Bool": {"aws:SecureTransport": "false"}}} == denied
    assert [] == [it for it in files_bucket["statements"] if it["Effect"] == "Allow"]
    assert [(7, "Enabled")] == [(it["Expiration"]["Days"], it["Status"]) for it in files_bucket["rules"]]
