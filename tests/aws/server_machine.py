"""A stack with one instance and what belongs to it, for the tests of the server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]

QUICK = {"Delay": 1, "MaxAttempts": 60}
MACHINE = """
Parameters:
  Image: {Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>, Default: /aws/service/debian/release/13/latest/amd64}
  Block: {Type: String}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Sub "${Block}.0.0/16"}}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: !Sub "${Block}.1.0/24", AvailabilityZone: !Select [0, !GetAZs ""]}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8, Description: operators}]
      SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]
  Key: {Type: AWS::EC2::KeyPair, Properties: {KeyName: !Sub "${AWS::StackName}", KeyType: ed25519}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Role]}}
  Data:
    Type: AWS::EC2::Volume
    Properties: {AvailabilityZone: !GetAtt Subnet.AvailabilityZone, Size: 20, VolumeType: gp3, Encrypted: true}
  Password:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {PasswordLength: 32, ExcludePunctuation: true}}
  Encryption: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: "2012-10-17", Statement: []}}}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: !Ref Image
        InstanceType: t3.large
        KeyName: !Ref Key
        IamInstanceProfile: {Arn: !GetAtt Profile.Arn}
        SecurityGroupIds: [!Ref Group]
        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 1}
        UserData: !Base64 "#cloud-config"
        BlockDeviceMappings:
          - {DeviceName: /dev/xvda, Ebs: {VolumeSize: 16, VolumeType: gp3, Encrypted: true, DeleteOnTermination: true}}
  Machine:
    Type: AWS::EC2::Instance
    Properties:
      LaunchTemplate: {LaunchTemplateId: !Ref Template, Version: !GetAtt Template.LatestVersionNumber}
      SubnetId: !Ref Subnet
      PropagateTagsToVolumeOnCreation: true
      Tags: [{Key: Name, Value: controller}]
  Attached: {Type: AWS::EC2::VolumeAttachment, Properties: {VolumeId: !Ref Data, InstanceId: !Ref Machine, Device: /dev/sdf}}
Outputs:
  Machine: {Value: !Ref Machine}
  Address: {Value: !GetAtt Machine.PrivateIp}
  KeyPairId: {Value: !GetAtt Key.KeyPairId}
  Role: {Value: !Ref Role}
  RoleArn: {Value: !GetAtt Role.Arn}
  Password: {Value: !Ref Password}
  Encryption: {Value: !Ref Encryption}
  Data: {Value: !Ref Data}
  Group: {Value: !Ref Group}
"""


def deploy(client: Client, block: str, name: str = "") -> dict[str, str]:
    cloudformation = client("cloudformation")
    name = name or f"machine-{uuid.uuid4().hex[:6]}"
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=MACHINE,
        Parameters=[{"ParameterKey": "Block", "ParameterValue": block}],
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "Project", "Value": "jenkins"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICK)
    return {**outputs(client, name), "Stack": name}


def outputs(client: Client, name: str) -> dict[str, str]:
    stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def instance_of(client: Client, instance_id: str) -> dict[str, Any]:
    found = client("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return dict(found)


def wait_until_running(client: Client, instance: str) -> None:
    client("ec2").get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
