"""What the command line costs before it does anything: `--help` beside a bare interpreter."""

import subprocess
import sys
from pathlib import Path

from measure import compare

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


if __name__ == "__main__":
    compare(
        "--help",
        {
            "python -c pass (floor)": lambda: run(sys.executable, "-c", "pass"),
            "python -m bootstrap --help": lambda: run(sys.executable, "-m", "bootstrap", "--help"),
            "./bootstrap.py --help": lambda: run("./bootstrap.py", "--help"),
        },
        rounds=11,
    )
