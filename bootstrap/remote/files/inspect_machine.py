#!/usr/bin/python3 -IS
"""One JSON document of facts that only root can see, for the checks of this machine.

As root it gathers them. Jenkins' builds are sandboxed and cannot become root: run by them, it asks the socket behind which
systemd runs it as root; run by an operator, it asks sudo. It takes no arguments and no input, so nobody can ask it for more.
"""

import grp
import hashlib
import json
import os
import pwd
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Facts = dict[str, Any]

CONFIGURATION = Path("/etc/bootstrap/inspect.json")
SOCKET_PATH = "/run/inspect-machine.socket"
# Protocol, address, port, the first process, and the user, who is left out if it is root.
SOCKET = re.compile(r'(tcp|udp) .* (\S+):(\d+) +\S+:\S+ +(?:users:\(\("([^"]*)",pid=.*\)\) +)?(?:uid:(\d+) +)?ino:\d+ ')
UNIT_PROPERTIES = (
    "Id,LoadState,UnitFileState,ActiveState,SubState,Result,NRestarts,ExecMainStartTimestamp,NeedDaemonReload,"
    "MemoryMax,TasksMax"
)


def run(*command: str) -> tuple[str, str]:
    """A command's output, or why there is none."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return done.stdout, "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def read_firewall(_configuration: Facts) -> Any:
    """nftables' rules, as its own JSON."""
    output, problem = run("/usr/sbin/nft", "--json", "list", "ruleset")
    return {"error": problem} if problem else json.loads(output)["nftables"]


def read_sshd(_configuration: Facts) -> Facts:
    """sshd's effective settings for the login user, each a list of values."""
    output, problem = run("/usr/sbin/sshd", "-T")
    settings: Facts = {"error": [problem]} if problem else {}
    for line in output.splitlines():
        key, _, value = line.partition(" ")
        settings.setdefault(key, []).append(value)
    return settings


def read_sockets(_configuration: Facts) -> list[Facts]:
    """Who listens where. A process may have line breaks in its name; what is then no whole line is left out."""
    output, _ = run("/usr/bin/ss", "-H", "-t", "-u", "-l", "-n", "-p", "-e")
    sockets = []
    for line in filter(None, map(SOCKET.match, output.splitlines())):
        facts = {"protocol": line[1], "address": line[2].split("%")[0], "port": int(line[3]), "process": line[4] or ""}
        sockets.append(facts | {"user": find_name(pwd.getpwuid, int(line[5] or "0"))})
    return sorted(sockets, key=lambda item: (item["protocol"], item["port"], item["address"]))


def read_files(configuration: Facts) -> Facts:
    """Mode, owner, group, kind, size and (of plain files) SHA-256 of the asked paths; null for one that is not there."""
    return {name: read_file(name) for name in configuration["paths"]}


def read_file(name: str) -> Facts | None:
    """The facts of one path; all of the very thing that is held open, for a build may put another in its place."""
    try:
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return read_facts(descriptor)
    finally:
        os.close(descriptor)


def read_facts(descriptor: int) -> Facts:
    """Mode, owner, group, kind, size and perhaps the SHA-256 of what is held open."""
    status = os.fstat(descriptor)
    facts: Facts = {
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": find_name(pwd.getpwuid, status.st_uid),
        "group": find_name(grp.getgrgid, status.st_gid),
        "kind": "directory" if stat.S_ISDIR(status.st_mode) else "link" if stat.S_ISLNK(status.st_mode) else "file",
        "size": status.st_size,
    }
    # The sum of a small secret would give it away to guessing; what everybody may read is none.
    if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH:
        facts["sha256"] = compute_digest(f"/proc/self/fd/{descriptor}")
    return facts


def find_name(look_up: Callable[[int], Any], number: int) -> str:
    """The name of a user or group, or its number where it has none."""
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def compute_digest(name: str) -> str | None:
    """A file's SHA-256, or None where it cannot be read."""
    try:
        with Path(name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def read_mounts(configuration: Facts) -> Facts:
    """Source, type and options of the asked mount points; null for one where nothing is mounted."""
    answers = {name: run("/usr/bin/findmnt", "--json", "--mountpoint", name) for name in configuration["mounts"]}
    return {name: None if problem else json.loads(it)["filesystems"][0] for name, (it, problem) in answers.items()}


def read_units(configuration: Facts) -> Facts:
    """systemd's view of the asked units."""
    output, _ = run("/usr/bin/systemctl", "show", "-p", UNIT_PROPERTIES, *configuration["units"])
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return {block["Id"]: block for block in blocks if "Id" in block}


def list_failed_units(_configuration: Facts) -> list[str]:
    """The names of all units that failed."""
    output, _ = run("/usr/bin/systemctl", "list-units", "--failed", "--plain", "--no-legend")
    return [line.split()[0] for line in output.splitlines()]


def read_upgrades(_configuration: Facts) -> Facts:
    """apt's settings about upgrades that happen by themselves; a repeated key has its values as a list."""
    output, _ = run("/usr/bin/apt-config", "dump")
    settings: Facts = {}
    for line in output.splitlines():
        key, _, value = line.partition(" ")
        if key.startswith(("Unattended-Upgrade::", "APT::Periodic::")):
            settings.setdefault(key.removesuffix("::"), []).append(value.rstrip(";").strip('"'))
    return settings


def read_kernel(configuration: Facts) -> Facts:
    """The asked kernel settings as they are now; null for one that this kernel does not have."""
    return {name: read_kernel_setting(name) for name in configuration["sysctls"]}


def read_kernel_setting(name: str) -> str | None:
    """One kernel setting."""
    try:
        return " ".join(Path("/proc/sys", name.replace(".", "/")).read_text().split())
    except OSError:
        return None


def read_packages(configuration: Facts) -> Facts:
    """The installed versions of the asked packages; null for one that is not installed."""
    names = configuration["packages"]
    output, _ = run("/usr/bin/dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\\n", *names)
    installed = {line.split()[0]: line.split()[2] for line in output.splitlines() if " installed " in line}
    return {name: installed.get(name) for name in names}


def find_replaced_files(configuration: Facts) -> Facts:
    """The programs and libraries that the asked services execute and that were replaced or removed under them."""
    output, _ = run("/usr/bin/systemctl", "show", "-p", "Id,MainPID", *configuration["services"])
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return {block["Id"]: find_deleted_code(read_maps(block["MainPID"])) for block in blocks if "Id" in block}


def read_arguments(_configuration: Facts) -> list[str]:
    """With which arguments Jenkins runs; they are no secret, for every process of the machine can see them."""
    output, _ = run("/usr/bin/systemctl", "show", "-p", "MainPID", "--value", "jenkins.service")
    try:
        line = Path("/proc", output.strip() or "0", "cmdline").read_bytes()
    except OSError:
        return []
    return line.decode(errors="replace").split("\0")[:-1]


def read_maps(process: str) -> str:
    """What a process has mapped; nothing where there is no such process."""
    try:
        return Path("/proc", process, "maps").read_text(errors="replace") if process != "0" else ""
    except (FileNotFoundError, ProcessLookupError):
        return ""


def find_deleted_code(maps: str) -> list[str]:
    """The system's files that are executed and gone; caches and what a program has made for itself do not count."""
    found = [line.split(maxsplit=5) for line in maps.splitlines()]
    code = {fields[5] for fields in found if len(fields) == 6 and "x" in fields[1] and fields[5].startswith("/usr/")}
    return sorted(name.removesuffix(" (deleted)") for name in code if name.endswith(" (deleted)"))


def read_java(configuration: Facts) -> Facts:
    """How many shared libraries Java has, and which of them miss others, by name; with Java's own folders on the path."""
    folder = Path(configuration["java_home"], "lib")
    libraries = sorted(str(path) for path in folder.rglob("*.so"))
    path = f"LD_LIBRARY_PATH={folder}:{folder / 'server'}"
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda name: run("/usr/bin/env", path, "/usr/bin/ldd", name), libraries)
        missing = {name: find_missing_libraries(*answer) for name, answer in zip(libraries, answers, strict=True)}
    return {"libraries": len(libraries), "missing": {name: names for name, names in missing.items() if names}}


def find_missing_libraries(output: str, problem: str) -> list[str]:
    """What ldd has not found; its own complaint where it failed."""
    names = {line.partition(" => ")[0].strip() for line in output.splitlines() if line.endswith(" => not found")}
    return sorted(names) or ([problem] if problem else [])


def read_metadata(configuration: Facts) -> Facts:
    """The status with which the metadata service answers each asked user's request of a token; '000' if none comes."""
    asked = configuration["metadata"]
    header = ("--header", "X-aws-ec2-metadata-token-ttl-seconds: 1")
    question = ("--request", "PUT", *header, f"{asked['url']}latest/api/token")
    curl = ("/usr/bin/curl", "--silent", "--noproxy", "*", "--max-time", "10", "--output", "/dev/null")
    answers: Facts = {}
    for user in asked["users"]:
        become = ("/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
        output, problem = run(*become, *curl, "--write-out", "%{http_code}", *question)
        answers[user] = output or problem
    return answers


def read_audit(_configuration: Facts) -> list[str]:
    """The newest lines that Jenkins' audit trail wrote into the journal, each cut where it is very long."""
    newest = ("--since", "-15min", "--lines", "5000", "--output", "cat", "--no-pager", "--quiet")
    output, _ = run("/usr/bin/journalctl", "--unit", "jenkins.service", *newest)
    return [line[:500] for line in output.splitlines() if " - audit - " in line][-200:]


def read_mail(_configuration: Facts) -> Any:
    """How far a session with the mail server comes."""
    return json.loads(run("/usr/local/sbin/ask-mail-server")[0])


def read_system(_configuration: Facts) -> Facts:
    """Whether this is a container, and since when it runs."""
    return {
        "is_container": Path("/run/systemd/container").exists() or Path("/run/.containerenv").exists(),
        "uptime_seconds": float(Path("/proc/uptime").read_text().split()[0]),
        "timezone": os.path.realpath("/etc/localtime").removeprefix("/usr/share/zoneinfo/"),
    }


GATHERERS = (  # each fact has the name of its function without the verb
    *(read_firewall, read_sshd, read_sockets, read_files, read_mounts, read_units, list_failed_units),
    *(read_upgrades, read_kernel, read_packages, find_replaced_files, read_java, read_system, read_audit),
    *(read_arguments, read_metadata, read_mail),
)


def gather() -> Facts:
    """All facts; the commands run at the same time. A fact that cannot be gathered is the error, and hinders no other one."""
    configuration = json.loads(CONFIGURATION.read_text())

    def gather_one(gatherer: Callable[[Facts], Any]) -> Any:
        try:
            return gatherer(configuration)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    with ThreadPoolExecutor(len(GATHERERS)) as pool:
        found = pool.map(gather_one, GATHERERS)
        return dict(zip((gatherer.__name__.partition("_")[2] for gatherer in GATHERERS), found, strict=True))


def run_inspection() -> str:
    """What the program says when systemd runs it as root."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.settimeout(60)
        stream.connect(SOCKET_PATH)
        return stream.makefile(encoding="utf-8").read()


def main() -> None:
    """Gather, or ask who can."""
    if os.geteuid() == 0:
        sys.stdout.write(json.dumps(gather(), sort_keys=True) + "\n")
        return
    try:
        answer = run_inspection()
    except PermissionError:
        os.execv("/usr/bin/sudo", ["sudo", "-n", "/usr/local/sbin/inspect-machine"])
    sys.stdout.write(answer)
    if not answer:
        sys.exit("inspect-machine: no answer; see journalctl -u 'inspect-machine@*'")


if __name__ == "__main__":
    main()
