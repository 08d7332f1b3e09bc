"""A converge with nothing to do, beside the least that any tool must do: one SSH connection and one command.

Needs a launched environment: `python tests/benchmarks/host.py local`.
"""

import sys

from measure import compare

from bootstrap.acts import host
from bootstrap.cli.environment_opening import open_environment
from bootstrap.cli.parser import build_parser
from bootstrap.preconditions import host_inputs
from bootstrap.remote.shell import FabricShell


def main(environment: str) -> None:
    options = build_parser().parse_args(["-e", environment, "host", "plan"])
    with open_environment(options) as (opened, run):
        inputs, _ = host_inputs.gather(opened, run)
        machine = opened.machine

        def floor() -> None:
            shell = FabricShell(machine)
            shell.run(["true"], sudo=True)
            shell.close()

        def converge() -> None:
            shell = FabricShell(machine)
            pending = host.plan(shell, inputs)
            shell.close()
            assert not pending, pending

        compare("nothing to do on the machine", {"connect, sudo true (floor)": floor, "connect, converge": converge})


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "local")
