"""What goes into a machine image, as data: Debian's release, the packages and the few files that make it a cloud image.

The model is Debian's own image for EC2: cloud-init, sshd, the login user `admin` with passwordless sudo. What differs is what a
container cannot have (a kernel, a clock, disks to grow) and what two small units make up for. Any change here gives another
image, because the image's tag is a hash of it.
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

# Two things that a container lacks and a machine has. (1) A runtime makes all mounts private, so that what systemd mounts for
# one unit (LoadCredential=) never reaches the unit's own namespace; shared is what systemd sets at the boot of a machine.
# (2) /proc/sys is read-only; the network part belongs to this machine's own network namespace and nobody else's, so it may be
# written, and sysctl works for it as on a machine.
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
ExecStart=/usr/bin/mount --bind /proc/sys/net /proc/sys/net
ExecStart=/usr/bin/mount -o remount,bind,rw /proc/sys/net

[Install]
WantedBy=sysinit.target
"""

# A container whose process 1 has gone is over, whether it powered off or rebooted. An exit code of its own for a reboot tells
# them apart: 'reboot' inside comes back, 'poweroff' stays stopped, as on EC2.
REBOOT_EXIT_CODE = 133
REBOOT_DROP_IN = f"""\
[Unit]
SuccessAction=exit-force
SuccessActionExitStatus={REBOOT_EXIT_CODE}
"""

# Debian's EC2 image names its user `admin`; the data comes from a seed directory, never from the network; podman has set up the
# interface; the disk is the host's. RSA host keys are left out: they cost a second of every first boot and no client of ours
# needs them.
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

# The host act starts apt's own timers when it is done; until then they would take dpkg's lock. There is no disk to trim.
CUSTOMIZE = (
    'chroot "$1" systemctl enable machine-mounts.service',
    'chroot "$1" sh -c "systemctl disable apt-daily.timer apt-daily-upgrade.timer; systemctl mask fstrim.timer"',
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/etc/apt/sources.list.d/0000*',
    ': > "$1"/etc/machine-id',
)
