"""One template with every type of resource that has an adapter and no template in `types/`."""

from __future__ import annotations

POLICY = '{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}'


TEMPLATE = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.40.0.0/16, EnableDnsHostnames: true}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  GatewayAttachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Subnet: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.40.1.0/24, MapPublicIpOnLaunch: true}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Association:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {RouteTableId: !Ref Table, SubnetId: !Ref Subnet}
  Address: {Type: AWS::EC2::EIP, DependsOn: GatewayAttachment, Properties: {Domain: vpc}}
  Nat: {Type: AWS::EC2::NatGateway, Properties: {AllocationId: !GetAtt Address.AllocationId, SubnetId: !Ref Subnet}}
  Route:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g, VpcId: !Ref Vpc}}
  Ingress:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Group, IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 10.0.0.0/8}
  Egress:
    Type: AWS::EC2::SecurityGroupEgress
    Properties: {GroupId: !Ref Group, IpProtocol: tcp, FromPort: 25, ToPort: 25, DestinationSecurityGroupId: !Ref Group}
  Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: !Ref Vpc}}
  AclEntry:
    Type: AWS::EC2::NetworkAclEntry
    Properties:
      NetworkAclId: !Ref Acl
      RuleNumber: 100
      Protocol: 6
      RuleAction: allow
      CidrBlock: 0.0.0.0/0
      PortRange: {From: 1, To: 9}
  AclAssociation:
    Type: AWS::EC2::SubnetNetworkAclAssociation
    Properties: {NetworkAclId: !Ref Acl, SubnetId: !Ref Subnet}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: !Sub "com.amazonaws.${AWS::Region}.s3", RouteTableIds: [!Ref Table]}
  Options:
    Type: AWS::EC2::DHCPOptions
    Properties: {DomainName: example.internal, DomainNameServers: [AmazonProvidedDNS]}
  OptionsAssociation:
    Type: AWS::EC2::VPCDHCPOptionsAssociation
    Properties: {DhcpOptionsId: !Ref Options, VpcId: !Ref Vpc}
  Interface:
    Type: AWS::EC2::NetworkInterface
    Properties: {SubnetId: !Ref Subnet, GroupSet: [!Ref Group], SourceDestCheck: false}
  OtherAddress: {Type: AWS::EC2::EIP}
  AddressAssociation:
    Type: AWS::EC2::EIPAssociation
    Properties: {AllocationId: !GetAtt OtherAddress.AllocationId, NetworkInterfaceId: !Ref Interface}
  Key: {Type: AWS::EC2::KeyPair, Properties: {KeyName: !Sub "${AWS::StackName}", KeyType: rsa}}
  LaunchTemplate: {Type: AWS::EC2::LaunchTemplate, Properties: {LaunchTemplateData: {InstanceType: t3.small}}}
  Machine:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: "{{resolve:ssm:/aws/service/debian/release/13/latest/amd64}}"
      InstanceType: t3.small
      SubnetId: !Ref Subnet
      SecurityGroupIds: [!Ref Group]
      IamInstanceProfile: !Ref Profile
      DisableApiTermination: false
      Monitoring: true
      MetadataOptions: {HttpTokens: required}
  Disk:
    Type: AWS::EC2::Volume
    Properties: {AvailabilityZone: !GetAtt Subnet.AvailabilityZone, Size: 1, Encrypted: true, KmsKeyId: !GetAtt Encryption.Arn}
  DiskAttachment:
    Type: AWS::EC2::VolumeAttachment
    Properties: {VolumeId: !Ref Disk, InstanceId: !Ref Machine, Device: /dev/sdf}
  Trust:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: &trust
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [!Ref ManagedPolicy, arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore]
      Policies:
        - PolicyName: own
          PolicyDocument: POLICY
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Trust]}}
  ManagedPolicy: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: POLICY}}
  Policy: {Type: AWS::IAM::Policy, Properties: {PolicyName: inline, PolicyDocument: POLICY, Roles: [!Ref Trust]}}
  RolePolicy:
    Type: AWS::IAM::RolePolicy
    Properties: {PolicyName: other, PolicyDocument: POLICY, RoleName: !Ref Trust}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"user":"admin"}', GenerateStringKey: password, PasswordLength: 20}
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Bucket}}
  Encryption:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "kms:*", Resource: "*"}]}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: !Sub "alias/${AWS::StackName}", TargetKeyId: !Ref Encryption}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 30}}
  FlowLog:
    Type: AWS::EC2::FlowLog
    Properties:
      ResourceId: !Ref Vpc
      ResourceType: VPC
      TrafficType: REJECT
      LogGroupName: !Ref Logs
      DeliverLogsPermissionArn: !GetAtt Trust.Arn
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, ExpirationInDays: 30}]}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: !GetAtt Bucket.Arn}]
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: notices}}
  Subscription:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Queue.Arn}
  TopicPolicy: {Type: AWS::SNS::TopicPolicy, Properties: {Topics: [!Ref Topic], PolicyDocument: POLICY}}
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}
  QueuePolicy: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Queue], PolicyDocument: POLICY}}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/EC2
      MetricName: StatusCheckFailed
      Dimensions: [{Name: InstanceId, Value: !Ref Machine}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 2
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      AlarmActions: [!Ref Topic]
  Rule:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 day), Targets: [{Id: topic, Arn: !Ref Topic}]}
  Zone:
    Type: AWS::Route53::HostedZone
    Properties: {Name: example.internal, VPCs: [{VPCId: !Ref Vpc, VPCRegion: !Ref AWS::Region}]}
  Record:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref Zone
      Name: jenkins.example.internal
      Type: A
      TTL: "60"
      ResourceRecords: [!GetAtt Machine.PrivateIp]
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
Outputs:
  Bucket: {Value: !Ref Bucket}
  Queue: {Value: !Ref Queue}
  Secret: {Value: !Ref Secret}
  Role: {Value: !Ref Trust}
  Zone: {Value: !Ref Zone}
  Machine: {Value: !Ref Machine}
  Key: {Value: !Ref Encryption}
  Alarm: {Value: !Ref Alarm}
  Logs: {Value: !Ref Logs}
  Subnet: {Value: !Ref Subnet}
  Acl: {Value: !Ref Acl}
""".replace("POLICY", POLICY)
