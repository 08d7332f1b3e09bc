"""Runs the AWS of one environment until SIGTERM.

A server whose state directory is removed stops too. With --transient it serves one process, whose pipe is its standard input:
it stops when that process ends, however it ends, and removes the state directory. `endpoint.json` in the state directory
appears when the server answers, and goes when it stops; `server.log` is beside it.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from bootstrap.errors import BootstrapError

WATCH_SECONDS = 1.0


def main() -> None:
    """Start, restore, answer, stop."""
    wanted = _parse_arguments()
    wanted.state.mkdir(parents=True, exist_ok=True)
    wanted.state.chmod(0o700)
    logging.basicConfig(
        filename=wanted.state / "server.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s",
    )
    for noisy in ("botocore", "werkzeug", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if wanted.transient:
        threading.Thread(target=_await_end_of_input, args=(stop,), daemon=True).start()
    try:
        serve(wanted, stop)
    except BootstrapError as failure:
        logging.error("%s", failure)
        sys.exit(f"{failure}")


def serve(wanted: argparse.Namespace, stop: threading.Event) -> None:
    """Run the server until `stop` is set."""
    from bootstrap.local.aws.compute import machine_interface
    from bootstrap.local.aws.server.mail_place import MailPlace
    from bootstrap.local.aws.server.server import Server

    machines = machine_interface.load(wanted.environment, wanted.state, with_machines=not wanted.no_machines)
    place = (wanted.mail_port, wanted.mail_sender, wanted.region, wanted.mail_sandbox)
    mail = MailPlace(*place) if wanted.mail_port else None
    server = Server(wanted.state, wanted.port, machines, mail)
    server.engine.prompt_seconds = wanted.prompt_seconds
    server.restore()
    server.listen("127.0.0.1")
    for address in wanted.gateway:
        server.open_gateway(address)
    server.announce()
    server.warm_up(wanted.region)
    while not stop.wait(WATCH_SECONDS) and server.has_state():
        pass
    server.close()
    logging.shutdown()
    if wanted.transient:
        shutil.rmtree(wanted.state, ignore_errors=True)
    os._exit(0)  # a boot in progress would hold the process for minutes; it is taken up again at the next start


def _await_end_of_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bootstrap.local.aws", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="directory of the cloud's memory")
    parser.add_argument("--port", type=int, required=True, help="port on the loopback and on each gateway")
    parser.add_argument("--environment", required=True, help="name of the environment, which labels its machines")
    parser.add_argument("--gateway", nargs="*", default=[], help="further addresses to answer on from the start")
    parser.add_argument(
        "--mail-port", type=int, help="port on each gateway where machines' mail is taken; absent, none is"
    )
    parser.add_argument("--mail-sender", default="", help="the address that the machines' mail comes from")
    parser.add_argument("--mail-sandbox", action="store_true", help="recipients must be verified in SES, too")
    parser.add_argument(
        "--region", default="eu-central-1", help="the region: loaded beforehand; its SES verifies senders"
    )
    prompt = "how long an answer may wait for a stack operation that is over soon; 0 never waits"
    parser.add_argument("--prompt-seconds", type=float, default=1.0, help=prompt)
    parser.add_argument("--no-machines", action="store_true", help="simulated instances only, for tests of the APIs")
    transient = "end when standard input ends, and remove the state directory"
    parser.add_argument("--transient", action="store_true", help=transient)
    return parser.parse_args()


if __name__ == "__main__":
    main()
