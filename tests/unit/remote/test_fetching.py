"""The machine downloads artifacts itself: by HTTPS, without rights, resumed, and named when the checksum is right."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from https_site import Site, serve

from bootstrap.remote.converge.core import ARTIFACTS

ROOT = Path(__file__).resolve().parents[3]
CONTENT = os.urandom(700_000)
# The program of the machine, with another root than '/'.
RUNNER = (
    "import json, sys; from pathlib import Path; from bootstrap.remote.converge import core, fetching, main\n"
    "vars(fetching).update(json.loads(sys.argv[2]))\n"
    "print(json.dumps(fetching.fetch(json.load(sys.stdin), core.Context(Path(sys.argv[1])), main._make_reporter('M'))))"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serve(tmp_path) as made:
        made.files["/file"] = CONTENT
        yield made


def file_of(url: str, content: bytes = CONTENT) -> dict[str, Any]:
    return {"url": url, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


class Machine:
    """The root of a machine, on which the program runs as a process."""

    def __init__(self, root: Path, site: Site) -> None:
        self.root = root
        self.site = site
        self.folder = root / ARTIFACTS.lstrip("/")
        self.authorities = {"the site's": site.authority}
        self.plain: list[str] = []
        self.limits: dict[str, float] = {}  # other values of constants of the program

    def begin(self, *files: dict[str, Any]) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", RUNNER, str(self.root), json.dumps(self.limits)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, env={"PATH": os.environ["PATH"]}
        )
        assert process.stdin
        with process.stdin as stdin:
            stdin.write(json.dumps({"resources": files, "authorities": self.authorities, "plain": self.plain}))
        return process

    def fetch(self, *files: dict[str, Any]) -> dict[str, Any]:
        process = self.begin(*files)
        assert process.stdout
        lines = process.stdout.read().splitlines()
        assert process.wait(60) == 0
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer

    def content(self, file: dict[str, Any]) -> bytes:
        return (self.folder / file["sha256"]).read_bytes()

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def machine(tmp_path: Path, site: Site) -> Machine:
    return Machine(tmp_path / "root", site)


def test_files_come_from_the_site_without_rights(machine: Machine, site: Site) -> None:
    others = {f"/{number}": os.urandom(1000 + number) for number in range(9)}
    site.files |= others
    files = [file_of(site.url("/file")), *(file_of(site.url(path), content) for path, content in others.items())]

    answer = machine.fetch(*files)

    assert ({}, {file["sha256"] for file in files}) == (answer["refused"], set(answer["fetched"]))
    assert [CONTENT, *others.values()] == [machine.content(file) for file in files]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in machine.folder.iterdir()}
    assert ({65534} if os.geteuid() == 0 else {os.geteuid()}) == site.users


def test_a_connection_that_breaks_is_continued(machine: Machine, site: Site) -> None:
    site.cut = 300_000
    file = file_of(site.url("/file"))

    assert [file["sha256"]] == machine.fetch(file)["fetched"]

    assert CONTENT == machine.content(file)
    assert ["", "bytes=300000-", "bytes=600000-"] == [asked for _, asked in site.asked]


def test_a_program_that_was_killed_continues_where_the_file_ended(machine: Machine, site: Site) -> None:
    site.pause = 0.2
    file = file_of(site.url("/file"))
    process = machine.begin(file)
    part = machine.folder / f"{file['sha256']}.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size >= 200_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.stdout
    process.stdout.close()  # nobody listens any more, as when the connection broke: the next report ends the program
    process.wait(30)
    size = part.stat().st_size
    assert size < len(CONTENT)
    assert not (machine.folder / file["sha256"]).exists()
    site.pause = 0.0

    assert [file["sha256"]] == machine.fetch(file)["fetched"]

    assert CONTENT == machine.content(file)
    assert int(site.asked[-1][1].removeprefix("bytes=").removesuffix("-")) >= 200_000
    assert {file["sha256"]} == machine.names


def test_a_part_of_another_file_is_thrown_away(machine: Machine, site: Site) -> None:
    file = file_of(site.url("/file"))
    machine.folder.mkdir(parents=True)
    (machine.folder / f"{file['sha256']}.part").write_bytes(b"of another file")

    assert [file["sha256"]] == machine.fetch(file)["fetched"]

    assert CONTENT == machine.content(file)


def test_wrong_content_gets_no_name(machine: Machine, site: Site) -> None:
    site.files["/other"] = os.urandom(len(CONTENT))
    site.files["/longer"] = site.files["/other"] + b"more"
    site.files["/shorter"] = CONTENT[:1000]
    wrong = {
        path: {**file_of(site.url(path)), "sha256": digit * 64} for path, digit in (("/other", "a"), ("/longer", "b"))
    }
    shorter, good = {**file_of(site.url("/shorter")), "sha256": "c" * 64}, file_of(site.url("/file"))

    answer = machine.fetch(*wrong.values(), shorter, good)

    assert [good["sha256"]] == answer["fetched"]
    assert {"a" * 64, "b" * 64, "c" * 64} == set(answer["refused"])
    assert "its SHA-256 is" in answer["refused"]["a" * 64]
    assert {good["sha256"], "c" * 64 + ".part"} == machine.names


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_another_scheme_is_refused_also_after_a_redirection(machine: Machine, site: Site, scheme: str) -> None:
    site.redirections["/away"] = f"{scheme}://127.0.0.1:{site.port}/file?token=1"
    site.redirections["/here"] = site.url("/file")
    away, plain = file_of(site.url("/away"), b"away"), file_of(f"{scheme}://127.0.0.1:{site.port}/file", b"plain")
    here = file_of(site.url("/here"))

    answer = machine.fetch(away, plain, here)

    assert [here["sha256"]] == answer["fetched"]
    # Python itself follows no redirection to a file.
    told = f"it is redirected to {scheme}://127.0.0.1:{site.port}/file, which is not HTTPS"
    assert ("HTTP 302" if scheme == "file" else told) == answer["refused"][away["sha256"]]
    assert "is not HTTPS" in answer["refused"][plain["sha256"]]


def test_only_a_server_that_the_toolkit_names_is_asked_by_http(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "bucket"
    folder.mkdir()
    (folder / "file").write_bytes(CONTENT)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        named = f"127.0.0.1:{server.server_port}"
        machine.plain = [named]
        good, other = (
            file_of(f"http://{named}/file?X-Amz-Signature=1"),
            file_of(f"http://localhost:{server.server_port}/file?x=1"),
        )
        other["sha256"] = "a" * 64

        answer = machine.fetch(good, other)
        server.shutdown()

    assert [good["sha256"]] == answer["fetched"]
    assert CONTENT == machine.content(good)
    # The rest of an address can be a signature.
    assert f"http://localhost:{server.server_port}/file is not HTTPS" == answer["refused"]["a" * 64]


def test_a_site_out_of_reach_is_left_at_once(machine: Machine, site: Site) -> None:
    closed = "https://127.0.0.1:1/file"
    files = [file_of(closed, str(number).encode()) for number in range(40)]

    answer = machine.fetch(*files)

    assert ([], 40) == (answer["fetched"], len(answer["refused"]))
    assert all(reason.startswith("not reached: ") for reason in answer["refused"].values())


def test_a_site_without_a_known_authority_gets_no_request(machine: Machine, site: Site) -> None:
    process = subprocess.run(
        [sys.executable, "-c", RUNNER, str(machine.root), "{}"],
        cwd=ROOT,
        input=json.dumps({"resources": [file_of(site.url("/file"))], "authorities": {}, "plain": []}),
        capture_output=True,
        text=True,
        check=True,
    )

    (reason,) = json.loads(process.stdout.splitlines()[-1])["refused"].values()

    assert "CERTIFICATE_VERIFY_FAILED" in reason
    assert [] == site.asked


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"_RATE_SECONDS": 0.5, "_LEAST_RATE": 100_000_000}, "slower than 100000 kB/s over 0 s"),
        ({"_ALL_SECONDS": 1.0}, "not there after 1 s"),
    ],
)
def test_a_slow_site_is_given_up_and_its_parts_are_kept(
    machine: Machine, site: Site, limits: dict[str, float], told: str
) -> None:
    site.pause = 0.5  # a block comes now and then, so that no read ends for want of a byte
    machine.limits = {"_REPORT_EVERY": 0.2, "AT_ONCE": 1, **limits}
    files = [file_of(site.url("/file")), file_of(site.url("/second"), b"second")]

    answer = machine.fetch(*files)

    assert ([], dict.fromkeys((file["sha256"] for file in files), told)) == (answer["fetched"], answer["refused"])
    assert {f"{files[0]['sha256']}.part"} == machine.names


@pytest.mark.parametrize(
    "damaged",
    ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "\u00e4"],
    ids=["empty", "text", "damaged", "not ASCII"],
)
def test_a_damaged_authority_is_noted_and_the_others_are_trusted(machine: Machine, site: Site, damaged: str) -> None:
    machine.authorities = {"company.crt": damaged, **machine.authorities}
    file = file_of(site.url("/file"))

    answer = machine.fetch(file)

    assert [file["sha256"]] == answer["fetched"]
    (note,) = answer["notes"]
    assert note.startswith("the certificate authority company.crt cannot be read")
