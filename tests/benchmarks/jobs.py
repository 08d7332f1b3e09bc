"""Publishing jobs when nothing changed: the jobs act beside `jenkins-jobs update`, as whole processes, against the emulator.

The peer is shown twice: with its cache as it is on the second run, and without, which is what finds a job that was deleted or
edited on the server (the act finds a deleted one always). Each of the two has a server of its own, because the peer replaces
the footers by which the act knows its jobs.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from measure import compare

ROOT = Path(__file__).resolve().parents[2]
JOBS = 300
TOKEN = "11" + "0123456789abcdef" * 2  # of a server that lives for this run only
DEFINITIONS = """\
- defaults: {{name: global, disabled: false}}
- job-template:
    name: 'bench-{{number}}'
    description: a benchmark
    builders: [{{shell: 'echo {{number}}'}}]
- project:
    name: bench
    number: [{numbers}]
    jobs: ['bench-{{number}}']
"""
ACT = """\
import sys, jenkins
from pathlib import Path
from bootstrap.acts import jobs
from bootstrap.jenkins.definitions import remembered
class Silent:
    change = progress = notice = staticmethod(lambda *_: None)
rendered = remembered.render(Path(sys.argv[2]).parent / "rendered", Path(sys.argv[2]), {}, {})
jobs.apply(jenkins.Jenkins(sys.argv[1], "admin", sys.argv[3], timeout=60), rendered, Silent())
"""


def emulator_of_the_contract() -> Any:
    spec = importlib.util.spec_from_file_location("contract", ROOT / "tests" / "contract" / "conftest.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def add_token(url: str) -> None:
    with requests.Session() as session:
        session.auth = ("admin", "admin-password")
        crumb = session.get(f"{url}/crumbIssuer/api/json", timeout=30).json()
        session.post(
            f"{url}/user/admin/descriptorByName/jenkins.security.ApiTokenProperty/addFixedToken",
            data={"newTokenName": "bench", "newTokenPlainValue": TOKEN},
            headers={crumb["crumbRequestField"]: crumb["crumb"]},
            timeout=30,
        ).raise_for_status()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of an emulator with the token."""
    server = emulator_of_the_contract().Emulator(folder)
    server.start()
    try:
        add_token(server.url)
        yield str(server.url)
    finally:
        server.stop()


def main() -> None:
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        acts_url, peers_url = (exits.enter_context(running(folder / name)) for name in ("act", "peer"))
        definitions = folder / "jobs"
        definitions.mkdir()
        numbers = ", ".join(str(number) for number in range(JOBS))
        (definitions / "bench.yaml").write_text(DEFINITIONS.format(numbers=numbers))
        (definitions / "job-builder.ini").write_text((ROOT / "jobs" / "job-builder.ini").read_text())
        ini = folder / "jjb.ini"
        ini.write_text(f"[jenkins]\nurl={peers_url}\nuser=admin\npassword={TOKEN}\n")
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder)}
        # As bootstrap.py does: the act's modules are compiled once, like those of the peer when it was installed.
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        environ["PYTHONPYCACHEPREFIX"] = str(Path(sys.executable).parents[1] / "pycache")

        def act() -> None:
            command = [sys.executable, "-c", ACT, acts_url, str(definitions), TOKEN]
            subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def peer(*options: str) -> None:
            tool = str(Path(sys.executable).with_name("jenkins-jobs"))
            command = [tool, "--conf", str(ini), *options, "update", str(definitions / "bench.yaml")]
            subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        compare(
            f"{JOBS} jobs, nothing changed",
            {
                "the jobs act": act,
                "jenkins-jobs update, its cache warm": peer,
                "jenkins-jobs update --ignore-cache": lambda: peer("--ignore-cache"),
            },
            rounds=5,
        )


if __name__ == "__main__":
    main()
