"""The table of what is not modelled is that of the adapters, and resources that use such a property say so."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation import adapters, modelled, survey
from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Context


def test_table_is_what_the_adapters_leave_out() -> None:
    assert survey.table() == modelled.table(), "run: python -m bootstrap.local.aws.cloudformation.survey"
    assert adapters.known() == modelled.table().keys()


class Example(Adapter):
    type = "AWS::EC2::VPC"

    def create(self, to: Context) -> str:
        answer = to.call("ec2", "create_vpc", **to.pick("CidrBlock"))
        if "InstanceTenancy" in to.properties:
            to.call("ec2", "something", Value=to.get("EnableDnsSupport"))
        return str(answer["Vpc"]["VpcId"])


def test_property_counts_as_modelled_when_the_adapter_looks_at_it() -> None:
    seen: set[str] = set()
    survey._let_create(Example(), {"InstanceTenancy": "default"}, seen)
    assert {"CidrBlock", "InstanceTenancy", "EnableDnsSupport"} == seen


def test_note_names_what_is_accepted_and_does_nothing() -> None:
    assert "" == modelled.note("AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"})
    assert "" == modelled.note("AWS::No::Such", {"CidrBlock": "10.0.0.0/16"})
    said = modelled.note("AWS::EC2::VPC", {"VpcEncryptionControl": {}, "CidrBlock": "10.0.0.0/16"})
    assert "NOT MODELLED: the local cloud accepts VpcEncryptionControl and does nothing with it" == said
