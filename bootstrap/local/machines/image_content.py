"""The content of a machine image, as data: Debian's release, the packages, and the files that make it a cloud image.

The model is Debian's own image for EC2: cloud-init, sshd, the login user `admin` with sudo without a password. It differs in
what a container cannot have (a kernel, a clock, disks that grow), and has two small units that compensate for differences. Any
change of the data makes a new image, because the tag of the image is a hash of it.
"""

from __future__ import annotations

RELEASE = "trixie"

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "libnss-systemd",
    "cloud-init",
    "openssh-server",
    "sudo",
    "python3",
    "ca-certificates",
    "iproute2",
    "curl",
    "nftables",
    "procps",
    "netbase",
    "tzdata",
)

# Two differences between a container and a machine. (1) A runtime makes all mounts private, so that a mount of systemd for a
# unit (LoadCredential=) does not appear in the namespace of the unit; at the boot of a machine systemd makes mounts shared.
# (2) In a container /proc/sys is read-only. Its network part belongs to the network namespace of the container, so it can be
# made writable, and sysctl works for it as on a machine. In a machine whose user runs containers, all of /proc/sys is writable
# (`flags.list_nesting_options`), and a mount on a part of it would keep those containers from having a /proc.
SHARED_MOUNTS_UNIT = """\
[Unit]
Description=Mounts as on a machine: shared between units, network sysctl writable
DefaultDependencies=no
Before=sysinit.target local-fs-pre.target systemd-sysctl.service systemd-tmpfiles-setup.service
ConditionVirtualization=container

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/mount --make-rshared /
ExecStart=/bin/sh -c "mountpoint -q /proc/sys || exit 0; cd /proc/sys; mount -B net net && mount -o remount,bind,rw net"

[Install]
WantedBy=sysinit.target
"""

# A container stops when its process 1 ends, after a power-off and after a reboot. A reboot has its own exit code, so that the
# container is started again after 'reboot', and stays stopped after 'poweroff', as on EC2.
REBOOT_EXIT_CODE = 133
REBOOT_DROP_IN = f"""\
[Unit]
SuccessAction=exit-force
SuccessActionExitStatus={REBOOT_EXIT_CODE}
"""

# The user is `admin`, as in Debian's image for EC2. The data comes from a seed folder, not from the network. Podman sets up the
# interface, and the disk is that of the host. There are no RSA host keys: they would take a second of every first boot, and no
# client of this toolkit needs them.
CLOUD_CFG = """\
datasource_list: [NoCloud]
network: {config: disabled}
manage_etc_hosts: true
growpart: {mode: "off"}
resize_rootfs: false
ssh_genkeytypes: [ed25519, ecdsa]
ssh_quiet_keygen: true
system_info:
  default_user:
    name: admin
    gecos: Debian
    lock_passwd: true
    groups: [adm, sudo]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
"""

FILES = {
    "etc/cloud/cloud.cfg.d/90_machine.cfg": CLOUD_CFG,
    "etc/systemd/system/machine-mounts.service": SHARED_MOUNTS_UNIT,
    "etc/systemd/system/systemd-reboot.service.d/machine.conf": REBOOT_DROP_IN,
}

# The host act starts apt's timers at its end; before, they would take dpkg's lock. There is no disk to trim.
CUSTOMIZE = (
    'chroot "$1" systemctl enable machine-mounts.service',
    'chroot "$1" sh -c "systemctl disable apt-daily.timer apt-daily-upgrade.timer; systemctl mask fstrim.timer"',
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/sources.list.d/0000*',
    ': > "$1"/etc/machine-id',
)
