"""Real machines: containers are booted, reached by SSH, stopped, started, rebooted and terminated. Needs root and podman."""

from __future__ import annotations

import base64
import http.server
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
from single_machine import ENVIRONMENT, USER_DATA, WELCOME, host_key
from waiting import wait_until

from bootstrap.local.machines import InstanceSpec, Machines, ids, network


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


def test_machine_reaches_what_listens_on_the_gateway(ssh) -> None:
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("10.213.7.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status = ssh(f"curl -s -o /dev/null -w '%{{http_code}}' http://10.213.7.1:{server.server_port}/none-such")
        server.shutdown()
    assert status == "404"


def test_address_of_the_bridge_stays_whichever_machine_comes(machines: Machines, machine: InstanceSpec, ssh) -> None:
    """The link of a machine has a random address. Without one of its own the bridge would take the lowest."""
    links = json.loads(subprocess.check_output(["ip", "-json", "address", "show", "to", "10.213.7.1/32"]))
    bridge, link = next(each["ifname"] for each in links if "ifname" in each), f"low{os.getpid()}"
    place = Path("/sys/class/net", bridge, "address")
    before = place.read_text()
    subprocess.run(["ip", "link", "add", link, "address", "02:00:00:00:00:01", "type", "veth"], check=True)
    try:
        subprocess.run(["ip", "link", "set", link, "master", bridge], check=True)
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        during = place.read_text()
    finally:
        subprocess.run(["ip", "link", "delete", link], check=True)
    assert before == during == place.read_text() == f"{network.compute_bridge_address('10.213.7.1')}\n"
    assert before.strip() in ssh("cat /proc/net/arp")
