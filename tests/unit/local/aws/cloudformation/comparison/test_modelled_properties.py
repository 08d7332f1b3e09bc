"""Resources that use a property that does nothing say so; what does nothing is told by the path of its innermost member."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.comparison import modelled_properties
from bootstrap.local.aws.cloudformation.template import schemas

REGION = "eu-central-1"


def test_table_speaks_of_each_property_of_each_type_that_is_made() -> None:
    assert adapters.list_known() == modelled_properties.load_table().keys()
    for kind, states in modelled_properties.load_table().items():
        told = {path.split("/")[0] for name, paths in states.items() if name != "refused in place" for path in paths}
        assert schemas.list_settable(schemas.load(kind, REGION) or {}) == told, kind


def test_note_names_what_is_accepted_and_does_nothing() -> None:
    assert "" == modelled_properties.note("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"})
    assert "" == modelled_properties.note("AWS::No::Such", {"CidrBlock": "10.0.0.0/16"})
    said = modelled_properties.note("AWS::EC2::VPC", {"VpcEncryptionControl": {}, "CidrBlock": "10.0.0.0/16"})
    assert "NOT MODELLED: the local cloud accepts VpcEncryptionControl and does nothing with it" == said


def test_note_finds_members_also_in_lists() -> None:
    path = "BlockDeviceMappings/Ebs/SnapshotId"
    assert path in modelled_properties.list_not_modelled("AWS::EC2::Instance")
    disks = [
        {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 8}},
        {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": "snap-1"}},
    ]
    assert path in modelled_properties.note("AWS::EC2::Instance", {"BlockDeviceMappings": disks})
    assert "" == modelled_properties.note("AWS::EC2::Instance", {"BlockDeviceMappings": disks[:1]})


def test_what_lies_at_a_path_can_be_left_out() -> None:
    whole = {"Rules": [{"Prefix": "a", "Id": "b"}, {"Id": "c"}], "Other": {"Prefix": 1}}
    assert {"Rules": [{"Id": "b"}, {"Id": "c"}], "Other": {"Prefix": 1}} == modelled_properties.remove_paths(
        whole, ("Rules/Prefix", "None/Such")
    )
    assert {"Prefix": "a", "Id": "b"} == whole["Rules"][0]
