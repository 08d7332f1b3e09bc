"""Real machines: containers are booted, reached by SSH, stopped, started, rebooted and terminated. Needs root and podman."""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import http.server
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import InstanceSpec, Machines, ensure_image, flags, ids
from bootstrap.local.machines.podman import read_podman_info

ENVIRONMENT = f"machinetest{os.getpid()}"
SUBNET = "subnet-0f00"
CIDR = "10.213.7.0/24"
DISK = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0d15c"
VOLUME = "vol-0d15c"
WELCOME = "Welcome to Debian GNU/Linux 13"
USER_DATA = b"#!/bin/sh\necho user data says hello\ndate > /etc/made-by-user-data\n"


class Login:
    """A key pair and SSH connections with it that accept the one host key that the console tells."""

    def __init__(self) -> None:
        private = ed25519.Ed25519PrivateKey.generate()
        formats = serialization.Encoding, serialization.PrivateFormat, serialization.PublicFormat
        pem = private.private_bytes(formats[0].PEM, formats[1].OpenSSH, serialization.NoEncryption())
        self.public = private.public_key().public_bytes(formats[0].OpenSSH, formats[2].OpenSSH).decode()
        self.key = paramiko.Ed25519Key.from_private_key(io.StringIO(pem.decode()))

    def run(self, address: str, console: str, command: str) -> str:
        """What `command` prints there, with its standard error."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.get_host_keys().add(address, "ssh-ed25519", paramiko.Ed25519Key(data=host_key(console)))
        client.connect(address, username="admin", pkey=self.key, look_for_keys=False, allow_agent=False, timeout=10)
        try:
            _stdin, out, _err = client.exec_command(f"{{ {command}; }} 2>&1")
            return "\n".join(line.rstrip() for line in out.read().decode().strip().splitlines())
        finally:
            client.close()


def host_key(console: str) -> bytes:
    """The ed25519 host key in the block that cloud-init prints."""
    block = re.search(r"-----BEGIN SSH HOST KEY KEYS-----\n(.*?)\n-----END SSH HOST KEY KEYS-----", console, re.DOTALL)
    assert block is not None, console[-2000:]
    found = [line.split()[1] for line in block[1].splitlines() if line.startswith("ssh-ed25519 ")]
    assert len(found) == 1
    return base64.b64decode(found[0])


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def login() -> Login:
    return Login()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def machines(state: Path) -> Iterator[Machines]:
    cloud = Machines(ENVIRONMENT, state, print)
    try:
        yield cloud
    finally:
        cloud.remove_all(with_volumes=True)


@pytest.fixture(scope="module")
def spec(login: Login) -> InstanceSpec:
    return InstanceSpec(
        instance_id="i-0aaa",
        private_ip="10.213.7.37",
        subnet_id=SUBNET,
        subnet_cidr=CIDR,
        image_id="ami-0debian",
        user_data=USER_DATA,
        public_key=login.public,
        gateway="10.213.7.1",
    )


@pytest.fixture(scope="module")
def machine(machines: Machines, spec: InstanceSpec) -> InstanceSpec:
    """The machine that most tests use; tests leave it running."""
    machines.boot(spec)
    return spec


@pytest.fixture
def ssh(machines: Machines, machine: InstanceSpec, login: Login):
    return lambda command: login.run(machine.private_ip, machines.read_console(machine.instance_id), command)


def test_systemd_has_no_failed_unit(ssh) -> None:
    assert ssh("systemctl is-system-running --wait") == "running"
    assert ssh("systemctl --failed --no-legend --plain") == ""


def test_login_user_has_sudo_without_a_password(ssh) -> None:
    assert ssh("id -un; sudo -n id -un") == "admin\nroot"


def test_machine_has_the_name_and_address_of_its_instance(ssh) -> None:
    assert ssh("hostname; hostname -I") == "ip-10-213-7-37\n10.213.7.37"


def test_user_data_ran_once_as_it_was_given(ssh, machines: Machines, machine: InstanceSpec) -> None:
    assert ssh("sudo cat /var/lib/cloud/instance/user-data.txt") == USER_DATA.decode().strip()
    assert ssh("test -s /etc/made-by-user-data && echo made") == "made"
    assert "user data says hello" in machines.read_console(machine.instance_id)


def test_image_brings_no_host_keys_and_each_machine_has_its_own_id(ssh) -> None:
    assert ssh("cat /etc/ssh/ssh_host_*_key.pub | grep -vc root@ip-10-213-7-37") == "0"
    assert len(ssh("cat /etc/machine-id")) == 32


def test_hardened_units_get_their_credentials(ssh) -> None:
    properties = (
        "LoadCredential=WORD:/etc/hostname ProtectSystem=strict PrivateTmp=yes PrivateDevices=yes NoNewPrivileges=yes"
    )
    properties += " ProtectKernelTunables=yes DynamicUser=yes ProtectHome=yes"
    options = " ".join(f"-p {each}" for each in properties.split())
    assert (
        ssh(f"sudo systemd-run --quiet --wait --pipe {options} sh -c 'cat $CREDENTIALS_DIRECTORY/WORD'")
        == "ip-10-213-7-37"
    )


def test_firewall_and_network_sysctl_belong_to_the_machine(ssh) -> None:
    assert (
        ssh("sudo nft add table inet probe; sudo nft list tables; sudo nft delete table inet probe")
        == "table inet probe"
    )
    before = Path("/proc/sys/net/ipv4/conf/all/log_martians").read_text()
    assert ssh("sudo sysctl -w net.ipv4.conf.all.log_martians=1") == "net.ipv4.conf.all.log_martians = 1"
    assert Path("/proc/sys/net/ipv4/conf/all/log_martians").read_text() == before
    assert "Read-only" in ssh("echo 32768 | sudo tee /proc/sys/kernel/pid_max")


def log_of(machine: InstanceSpec) -> str:
    """The whole log of the container, of which the console is the end."""
    asked = ["podman", "logs", f"bootstrap-{ENVIRONMENT}-{machine.instance_id}"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def first_process(machine: InstanceSpec) -> Path:
    """The folder of this side's /proc for process 1 of the machine."""
    name = f"bootstrap-{ENVIRONMENT}-{machine.instance_id}"
    asked = ["podman", "container", "inspect", "--format={{.State.Pid}}", name]
    return Path("/proc", subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())


def test_root_inside_is_nobody_outside(machine: InstanceSpec, state: Path, ssh) -> None:
    first = int((state / "ids").read_text())
    assert first >= ids.FIRST
    for mapping in ("uid_map", "gid_map"):
        assert (first_process(machine) / mapping).read_text().split() == ["0", str(first), str(ids.WIDTH)]
    assert first_process(machine).stat().st_uid == first
    assert ssh("sudo id -u") == "0"
    namespaces = [(each / "ns/user").readlink() for each in (Path("/proc/self"), first_process(machine))]
    assert namespaces[0] != namespaces[1]


def test_two_environments_have_no_ids_in_common(state: Path, machine: InstanceSpec, tmp_path: Path) -> None:
    other = Machines("other", tmp_path)
    assert other.first_id != int((state / "ids").read_text())
    assert other.first_id == Machines("other", tmp_path).first_id


# What a program must do as root of this side to be run by the kernel there, each with the file that it would make.
ESCAPES = {
    "core_pattern": "echo '|/bin/touch {marker}' > /proc/sys/kernel/core_pattern",
    "core_pattern, writable": "mount -o remount,bind,rw /proc/sys; umount /proc/sys;"
    " echo '|/bin/touch {marker}' > /proc/sys/kernel/core_pattern",
    "modprobe": "umount /proc/sys; echo /bin/false > /proc/sys/kernel/modprobe",
    "uevent_helper": "mount -t sysfs sysfs /mnt; echo /bin/false > /mnt/kernel/uevent_helper",
    "release_agent": "umount /sys/fs/cgroup/systemd/release_agent;"
    " echo /bin/false > $(mount | grep -m1 -o '/sys/fs/cgroup/[^ ]*')/release_agent",
    "release_agent, mounted": "unshare --cgroup --mount sh -c 'mount -t cgroup -o memory none /mnt"
    " && echo /bin/false > /mnt/release_agent'",
    "release_agent, own hierarchy": "mount -t cgroup -o none,name=mine,release_agent=/bin/false none /mnt",
    "disk": "mknod /root/disk b {major} {minor} && mount /root/disk /mnt",
    "memory": "mknod /root/memory c 1 1 && head -c 1 /root/memory",
    "trace": "mount -t debugfs none /mnt || mount -t tracefs none /mnt",
    "namespace in the namespace": "unshare --user --map-root-user sh -c 'echo /bin/false > /proc/sys/kernel/modprobe'",
}


@pytest.mark.parametrize("escape", ESCAPES)
def test_root_inside_cannot_make_the_kernel_run_a_program_outside(escape: str, tmp_path: Path, ssh) -> None:
    settings = [Path("/proc/sys/kernel", name) for name in ("core_pattern", "modprobe")]
    settings += Path("/sys/fs/cgroup").glob("*/release_agent")
    before = {path: path.read_text() for path in settings if path.exists()}
    disk = Path("/").stat().st_dev
    marker = tmp_path / "escaped"
    attack = ESCAPES[escape].format(marker=marker, major=os.major(disk), minor=os.minor(disk))
    encoded = base64.b64encode(attack.encode()).decode()
    # In a mount namespace of its own, so that what it does to its mounts does not meet the next test.
    said = ssh(f"sudo unshare --mount sh -c 'echo {encoded} | base64 -d | sh'; echo exit $?")
    try:
        assert not said.endswith("exit 0"), said
        assert {path: path.read_text() for path in before} == before
        assert not marker.exists()
    finally:
        for path, text in before.items():
            if path.read_text() != text:
                path.write_text(text)


def test_machine_has_no_device_of_this_side(ssh) -> None:
    kinds = ssh("stat --format '%F %n' /dev/* /dev/*/*").splitlines()
    devices = {line.rpartition("/dev/")[2] for line in kinds if " special file " in line}
    own = {name for name in devices if name.startswith("pts/")}
    assert devices - own == {"console", "full", "null", "random", "tty", "urandom", "zero"}
    assert ssh("sudo grep -c . /proc/sys/kernel/core_pattern; grep Seccomp: /proc/1/status").split()[1:] == [
        "Seccomp:",
        "2",
    ]


def test_user_data_is_for_root_in_the_machine_only(ssh, machine: InstanceSpec, state: Path) -> None:
    seed = "/var/lib/cloud/seed/nocloud"
    assert "Permission denied" in ssh(f"cat {seed}/user-data")
    assert ssh(f"sudo cat {seed}/user-data") == USER_DATA.decode().strip()
    ssh(f"sudo mount -o remount,bind,rw {seed}")
    assert "Permission denied" in ssh(f"sudo ln -s /etc {seed}/link")
    assert "Permission denied" in ssh(f"sudo rm {seed}/user-data")
    kept = state / "machines" / machine.instance_id / "seed" / "user-data"
    assert (kept.stat().st_uid, kept.stat().st_mode & 0o777) == (int((state / "ids").read_text()), 0o600)


def test_packages_come_from_the_operators_mirror(ssh) -> None:
    assert "E:" not in ssh("sudo apt-get update --quiet")
    assert "Candidate: 2" in ssh("apt-cache policy git").replace("1:2", "2")


def test_stop_and_start_keep_address_files_and_host_key(machines: Machines, machine: InstanceSpec, ssh) -> None:
    before = host_key(machines.read_console(machine.instance_id))
    ssh("sudo sh -c 'echo kept > /var/kept'; sync")
    machines.stop(machine.instance_id)
    assert machines.read_state(machine.instance_id) == "stopped"
    machines.start(machine.instance_id)
    assert machines.read_state(machine.instance_id) == "running"
    assert host_key(machines.read_console(machine.instance_id)) == before
    assert ssh("cat /var/kept; hostname -I; systemctl is-system-running --wait") == "kept\n10.213.7.37\nrunning"


def test_reboot_starts_systemd_anew_with_the_same_host_key(machines: Machines, machine: InstanceSpec, ssh) -> None:
    before = ssh("stat -c %Y /proc/1; cat /etc/made-by-user-data").splitlines()
    machines.reboot(machine.instance_id)
    after = ssh("stat -c %Y /proc/1; cat /etc/made-by-user-data").splitlines()
    assert int(after[0]) > int(before[0])
    assert after[1] == before[1]


def test_reboot_from_inside_comes_back_and_power_off_stays_off(machines: Machines, machine: InstanceSpec, ssh) -> None:
    boots = log_of(machine).count(WELCOME)
    for _ in range(2):  # once more, for what the first one may have left behind
        down = threading.Event()
        machines.watch(machine.instance_id, down.set)
        ssh("sudo systemctl reboot --no-block")
        assert down.wait(60)
        assert machines.has_rebooted(machine.instance_id)
        machines.start(machine.instance_id)
    assert log_of(machine).count(WELCOME) == boots + 2
    ssh("sudo systemctl poweroff --no-block")
    wait_until(lambda: machines.read_state(machine.instance_id) == "stopped")
    time.sleep(2)
    assert machines.read_state(machine.instance_id) == "stopped"
    assert not machines.has_rebooted(machine.instance_id)
    machines.start(machine.instance_id)
    assert ssh("hostname -I") == "10.213.7.37"


def test_boot_of_a_running_machine_leaves_it_alone(machines: Machines, machine: InstanceSpec, ssh) -> None:
    before = ssh("stat -c %Y /proc/1")
    machines.boot(machine)
    assert ssh("stat -c %Y /proc/1") == before


def test_boot_of_a_stopped_machine_starts_it(machines: Machines, machine: InstanceSpec, ssh) -> None:
    machines.stop(machine.instance_id)
    machines.boot(machine)
    assert ssh("test -e /etc/made-by-user-data && echo same") == "same"


def test_volume_appears_survives_reboot_and_goes_to_another_machine(
    machines: Machines, machine: InstanceSpec, login: Login, ssh
) -> None:
    machines.attach(VOLUME, machine.instance_id, "/dev/sdf")
    unit = (
        f"[Mount]\\nWhat={DISK}\\nWhere=/srv/data\\nType=none\\nOptions=bind\\n[Install]\\nWantedBy=local-fs.target\\n"
    )
    ssh(f"printf '{unit}' | sudo tee /etc/systemd/system/srv-data.mount; sudo systemctl enable --now srv-data.mount")
    ssh("sudo install -o 4242 -g 4243 -m 0640 /etc/hostname /srv/data/file; sudo chown 4242 /srv/data")
    machines.reboot(machine.instance_id)
    assert ssh("systemctl is-active srv-data.mount; stat -c '%u:%g %a' /srv/data/file") == "active\n4242:4243 640"

    other = replace(machine, instance_id="i-0bbb", private_ip="10.213.7.38")
    machines.boot(other)
    with pytest.raises(LocalCloudFailed, match="it is attached to i-0aaa"):
        machines.attach(VOLUME, other.instance_id, "/dev/sdf")
    machines.detach(VOLUME, machine.instance_id)
    assert "No such file" in ssh(f"ls {DISK}")
    assert ssh("sudo ls /srv/data") == ""
    machines.attach(VOLUME, other.instance_id, "/dev/sdf")
    console = machines.read_console(other.instance_id)
    assert host_key(console) != host_key(machines.read_console(machine.instance_id))
    look = f"sudo stat -c '%u:%g %a' {DISK}/file; sudo cat {DISK}/file"
    assert login.run(other.private_ip, console, look) == "4242:4243 640\nip-10-213-7-37"

    machines.terminate(other.instance_id)
    assert machines.read_state(other.instance_id) == "absent"
    machines.attach(VOLUME, machine.instance_id, "/dev/sdf")
    assert ssh(f"sudo cat {DISK}/file") == "ip-10-213-7-37"


def test_volumes_are_there_again_after_the_mounts_of_this_side_were_lost(
    machines: Machines, machine: InstanceSpec, state: Path, ssh
) -> None:
    machines.attach("vol-0ccc", machine.instance_id, "/dev/sdh")
    disk = DISK.replace("vol0d15c", "vol0ccc")
    ssh(f"echo kept | sudo tee {disk}/file")
    machines.stop(machine.instance_id)
    disks = state / "machines" / machine.instance_id / "disks"
    subprocess.run(["umount", "--recursive", str(disks)], check=True)  # as a reboot of this side does
    machines.start(machine.instance_id)
    assert ssh(f"cat {disk}/file") == "kept"
    machines.detach("vol-0ccc", machine.instance_id)
    machines.delete_volume("vol-0ccc")


def test_machine_cannot_put_anything_in_the_place_of_its_disks(
    machines: Machines, machine: InstanceSpec, state: Path, tmp_path: Path, ssh
) -> None:
    folder, name = "/dev/disk/by-id", "nvme-Amazon_Elastic_Block_Store_vol0abc"
    assert "Read-only" in ssh(f"sudo touch {folder}/file")
    assert "Permission denied" in ssh(f"sudo mount -o remount,bind,rw {folder}; sudo touch {folder}/file")
    assert "Permission denied" in ssh(f"sudo ln -s {tmp_path} {folder}/{name}; sudo mkdir {folder}/{name}")
    assert "cannot" in ssh(f"sudo mv {DISK} {folder}/{name}")
    ssh(f"sudo sh -c 'umount --lazy {folder}; mv {folder} /root/disks; rm -r /dev/disk; mkdir /dev/disk'")
    ssh(f"sudo ln -s {tmp_path} {folder}")  # now its own folder is a link; this side's is not
    disks = state / "machines" / machine.instance_id / "disks"
    assert {each.name for each in disks.iterdir()} <= {Path(DISK).name}
    machines.attach("vol-0abc", machine.instance_id, "/dev/sdh")
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    machines.reboot(machine.instance_id)
    ssh(f"sudo touch {folder}/{name}/file")
    assert (state / "volumes" / "vol-0abc" / "file").stat().st_uid == int((state / "ids").read_text())
    machines.detach("vol-0abc", machine.instance_id)
    machines.delete_volume("vol-0abc")


@pytest.mark.parametrize("place", ["the folder of the disks", "a disk", "the machine's folder"])
def test_link_in_a_place_of_the_disks_is_never_followed(
    machines: Machines, state: Path, tmp_path: Path, place: str
) -> None:
    target, folder = tmp_path / "host", state / "machines" / "i-0e71"
    target.mkdir()
    (target / "file").write_text("kept")
    at = {
        "a disk": folder / "disks" / Path(DISK.replace("0d15c", "0e71")).name,
        "the folder of the disks": folder / "disks",
    }
    link = at.get(place, folder)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    with contextlib.suppress(LocalCloudFailed):
        machines.attach("vol-0e71", "i-0e71", "/dev/sdf")
    assert str(target) not in Path("/proc/self/mountinfo").read_text()
    if link.is_symlink():
        link.unlink()  # refused: the rest goes on when it is gone
    machines.detach("vol-0e71", "i-0e71")
    machines.terminate("i-0e71")
    machines.delete_volume("vol-0e71")
    assert [path.read_text() for path in target.iterdir()] == ["kept"]
    assert not folder.exists()
    assert not (state / "volumes" / "vol-0e71").exists()


def test_volume_of_an_earlier_version_is_given_to_the_machines_once(
    machines: Machines, machine: InstanceSpec, state: Path, tmp_path: Path, ssh
) -> None:
    volume, outside = state / "volumes" / "vol-0a1d", tmp_path / "outside"
    outside.write_text("mine")
    deep = volume.joinpath(*["deep"] * 1500)
    (volume / "home").mkdir(parents=True)
    here = os.open(volume, os.O_RDONLY)
    for _ in range(1500):  # deeper than a path can be long
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert len(str(deep)) > os.pathconf("/", "PC_PATH_MAX")
    (volume / "home" / "file").write_text("theirs")
    (volume / "home" / "tool").write_text("")
    os.chown(volume / "home" / "file", 4242, 4243)
    (volume / "home" / "tool").chmod(0o4755)
    (volume / "link").symlink_to(outside)
    (volume / "folder").symlink_to(tmp_path)
    machines.attach("vol-0a1d", machine.instance_id, "/dev/sdi")
    disk = DISK.replace("vol0d15c", "vol0a1d")
    assert ssh(f"stat -c '%u:%g %a' {disk} {disk}/home/file {disk}/home/tool") == "0:0 755\n4242:4243 644\n0:0 4755"
    assert (outside.stat().st_uid, tmp_path.stat().st_uid) == (0, 0)
    machines.detach("vol-0a1d", machine.instance_id)
    machines.delete_volume("vol-0a1d")
    assert outside.read_text() == "mine"
    assert not volume.exists()


def test_volume_in_use_is_not_deleted(machines: Machines, machine: InstanceSpec, state: Path) -> None:
    machines.attach("vol-0eee", machine.instance_id, "/dev/sdg")
    with pytest.raises(LocalCloudFailed, match="it is attached to i-0aaa"):
        machines.delete_volume("vol-0eee")
    machines.detach("vol-0eee", machine.instance_id)
    machines.delete_volume("vol-0eee")
    assert not (state / "volumes" / "vol-0eee").exists()


def test_network_with_a_machine_in_it_is_not_removed(machines: Machines, machine: InstanceSpec) -> None:
    with pytest.raises(LocalCloudFailed, match="removing the network"):
        machines.delete_network(SUBNET)


def test_failing_user_data_is_told_with_what_it_said(machines: Machines, spec: InstanceSpec) -> None:
    failing = replace(
        spec, instance_id="i-0bad", private_ip="10.213.7.66", user_data=b"#!/bin/sh\necho no such luck\nexit 3\n"
    )
    with pytest.raises(LocalCloudFailed) as failure:
        machines.boot(failing)
    assert "cloud-init failed" in failure.value.found
    assert "no such luck" in failure.value.found
    machines.terminate(failing.instance_id)
    machines.terminate(failing.instance_id)
    assert machines.read_state(failing.instance_id) == "absent"


def test_machine_survives_the_killing_of_the_process_that_makes_it(
    machines: Machines, spec: InstanceSpec, state: Path
) -> None:
    mine = replace(spec, instance_id="i-0fee", private_ip="10.213.7.67", user_data=b"#!/bin/sh\nsleep 2\n")
    program = "import sys, pathlib\nfrom bootstrap.local.machines import *\n"
    program += f"Machines({ENVIRONMENT!r}, pathlib.Path({str(state)!r})).boot({mine!r})"
    maker = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    wait_until(lambda: machines.read_state(mine.instance_id) == "running")
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()
    machines.boot(mine)
    assert machines.read_state(mine.instance_id) == "running"
    machines.terminate(mine.instance_id)


def test_half_made_container_is_made_again(machines: Machines, spec: InstanceSpec, state: Path) -> None:
    mine = replace(spec, instance_id="i-0daf", private_ip="10.213.7.68")
    name = f"bootstrap-{ENVIRONMENT}-{mine.instance_id}"
    labels = [f"--label=bootstrap.environment={ENVIRONMENT}", f"--label=bootstrap.state={state}"]
    subprocess.run(
        ["podman", "create", *labels, f"--name={name}", ensure_image(print)], check=True, capture_output=True
    )
    assert machines.read_state(mine.instance_id) == "absent"
    machines.boot(mine)
    assert machines.read_state(mine.instance_id) == "running"
    machines.terminate(mine.instance_id)


def test_machine_of_an_earlier_version_is_not_started_and_can_be_removed(
    machines: Machines, spec: InstanceSpec, state: Path
) -> None:
    former = replace(spec, instance_id="i-0e1d", private_ip="10.213.7.69")
    name = f"bootstrap-{ENVIRONMENT}-{former.instance_id}"
    labels = [f"--label=bootstrap.environment={ENVIRONMENT}", f"--label=bootstrap.state={state}"]
    limits = [
        it
        for it in flags.list_machine_options(read_podman_info(), flags.read_own_limits(), ids.FIRST)
        if "--ulimit" in it
    ]
    run = [
        "podman",
        *flags.list_runtime_options(read_podman_info()),
        "run",
        "--detach",
        *labels,
        *limits,
        f"--name={name}",
    ]
    subprocess.run([*run, ensure_image(print), "sleep", "1"], check=True, capture_output=True)
    wait_until(lambda: machines.read_state(former.instance_id) == "stopped")
    assert machines.list_without_namespace() == [former.instance_id]
    for start in (machines.start, machines.reboot, lambda each: machines.attach("vol-0e1d", each, "/dev/sdf")):
        with pytest.raises(LocalCloudFailed, match="without a user namespace"):
            start(former.instance_id)
    with pytest.raises(LocalCloudFailed, match="without a user namespace"):
        machines.boot(former)
    with pytest.raises(LocalCloudFailed, match="without a user namespace") as refusal:
        machines.require_namespaces()
    assert "without --delete-data" in refusal.value.remedy
    machines.terminate(former.instance_id)
    assert machines.list_without_namespace() == []
    machines.require_namespaces()


def test_machine_of_another_copy_is_neither_used_nor_removed(
    machines: Machines, machine: InstanceSpec, tmp_path: Path, ssh
) -> None:
    other = Machines(ENVIRONMENT, tmp_path)
    for use in (other.read_state, other.stop, other.terminate, other.read_console):
        with pytest.raises(LocalCloudFailed, match="another copy of this environment"):
            use(machine.instance_id)
    with pytest.raises(LocalCloudFailed, match="another copy of this environment"):
        other.delete_network(SUBNET)
    other.remove_all(with_volumes=True)
    assert ssh("id -un") == "admin"


def test_machine_reaches_what_listens_on_the_gateway(ssh) -> None:
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("10.213.7.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status = ssh(f"curl -s -o /dev/null -w '%{{http_code}}' http://10.213.7.1:{server.server_port}/none-such")
        server.shutdown()
    assert status == "404"


def test_two_machines_boot_and_end_at_once_and_their_addresses_are_free(machines: Machines, spec: InstanceSpec) -> None:
    pair = [replace(spec, instance_id=f"i-0c0{n}", private_ip=f"10.213.7.{80 + n}") for n in (1, 2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(machines.boot, pair))
    assert [machines.read_state(each.instance_id) for each in pair] == ["running", "running"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(machines.terminate, [each.instance_id for each in pair]))
    assert [machines.read_state(each.instance_id) for each in pair] == ["absent", "absent"]
    for each in pair:
        machines.boot(replace(each, instance_id=each.instance_id.replace("c0", "c1")))
        machines.terminate(each.instance_id.replace("c0", "c1"))


def test_remove_all_leaves_only_volumes(machines: Machines, machine: InstanceSpec, state: Path) -> None:
    machines.remove_all()
    assert machines.read_state(machine.instance_id) == "absent"
    listing = ["podman", "network", "ls", f"--filter=label=bootstrap.environment={ENVIRONMENT}", "--format={{.Name}}"]
    assert subprocess.run(listing, capture_output=True, text=True).stdout == ""
    assert sorted(path.name for path in (state / "volumes").iterdir()) == [VOLUME]
    assert str(state) not in Path("/proc/self/mountinfo").read_text()
