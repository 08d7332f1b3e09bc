"""`password`, `ssh`, `tunnel` and `logs`: how a person gets at Jenkins and its machine."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import subprocess
import sys
import threading
from collections.abc import Callable

from bootstrap.cli.command import Command, parse_line_count, parse_port

_PROXY_PORT = 443  # of nginx on the machine
_SECRETS = {"admin": "AdminPasswordSecret", "toolkit": "ToolkitPasswordSecret"}


def password(options: argparse.Namespace) -> int:
    """Print a user's password, from Secrets Manager."""
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.runs import terminal

    with open_environment(options) as (opened, _):
        terminal.write(f"{opened.secret(_SECRETS[options.user]).reveal()}\n")
    return DONE


def ssh(options: argparse.Namespace) -> int:
    """A shell on the machine, or one command there; the exit code is that of ssh, and the terminal is the machine's."""
    return _run_on_machine(options, options.remote[options.remote[:1] == ["--"] :], subprocess.call)


def tunnel(options: argparse.Namespace) -> int:
    """Lead a port of this machine to Jenkins' proxy, for a browser, until the person ends it."""
    from urllib.parse import urlsplit

    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.errors import UsageError
    from bootstrap.runs import terminal

    with open_environment(options) as (opened, _), contextlib.ExitStack() as held:
        try:
            port = held.enter_context(opened.shell.forward(_PROXY_PORT, local_port=options.port))
        except OSError as error:
            doing = f"opening the port {options.port} on this machine's loopback"
            raise UsageError(doing, str(error), "Choose another port with --port.") from error
        name = urlsplit(opened.url).hostname or ""
        terminal.write(f"https://127.0.0.1:{port}/ leads to Jenkins until Ctrl-C\n")
        terminal.write(f"{_describe_name(name, port)}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            terminal.write("\nthe tunnel is closed\n")
    return DONE


def _describe_name(name: str, port: int) -> str:
    """What the browser says of the certificate, and how it says nothing."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        entry = f"with the line '127.0.0.1 {name}' in /etc/hosts, open https://{name}:{port}/ instead"
        return f"the certificate has the name {name}: {entry}"
    return f"the certificate has the name {name}, so the browser warns"


def _follow(command: list[str]) -> int:
    """Run a command whose lines are shown as they come; its exit code."""
    from bootstrap.runs import terminal

    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as child:
        for line in child.stdout or ():
            terminal.write(line)
            sys.stdout.flush()
    return child.returncode


def _run_on_machine(options: argparse.Namespace, command: list[str], run: Callable[[list[str]], int]) -> int:
    from bootstrap.cli.environment_opening import open_environment
    from bootstrap.remote import openssh

    with (
        open_environment(options) as (opened, _),
        openssh.make_client_command(opened.machine, opened.world.dial(opened.machine)) as client,
    ):
        return run([*client, *command])


def logs(options: argparse.Namespace) -> int:
    """The last lines of a unit's journal; new ones, too, with --follow."""
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.runs import terminal

    command = ["journalctl", "--no-pager", "--unit", options.unit, "--lines", str(options.lines)]
    if options.follow:
        return _run_on_machine(options, ["sudo", *command, "--follow"], _follow)
    with open_environment(options) as (opened, _):
        terminal.write(opened.shell.run(command, sudo=True).stdout)
    return DONE


def _add_password_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", choices=tuple(_SECRETS), default="admin", help="the user's name (default: admin)")


def _add_ssh_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "remote", metavar="COMMAND", nargs=argparse.REMAINDER, help="the command to run; without one, a shell"
    )


def _add_tunnel_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=parse_port, default=8443, help="the port on this machine (default: 8443)")


def _add_logs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=parse_line_count, default=50, help="number of lines (default: 50)")
    parser.add_argument("--follow", "-f", action="store_true", help="follow the journal")
    parser.add_argument("unit", nargs="?", default="jenkins.service", help="the systemd unit (jenkins.service)")


COMMANDS = (
    Command(
        "password",
        50,
        "print a user's password",
        password,
        (
            ("password", "the administrator's"),
            ("password --user toolkit", "the password of the jobs' and the toolkit's user"),
        ),
        _add_password_arguments,
    ),
    Command(
        "ssh",
        60,
        "open a shell on the machine, or run a command there",
        ssh,
        (
            ("ssh", "a shell on the machine"),
            ("ssh systemctl status jenkins", "run one command; its exit code is kept"),
        ),
        _add_ssh_arguments,
        passes_on=True,
    ),
    Command(
        "tunnel",
        65,
        "open a way to Jenkins for a browser on this machine",
        tunnel,
        (
            ("tunnel", "https://127.0.0.1:8443/ until Ctrl-C"),
            ("tunnel --port 9443", "another port of this machine"),
        ),
        _add_tunnel_arguments,
    ),
    Command(
        "logs",
        70,
        "the last lines of a service's journal",
        logs,
        (
            ("logs", "the last lines of jenkins.service"),
            ("logs -f nginx.service", "the journal of another unit, and its new lines"),
        ),
        _add_logs_arguments,
    ),
)
