"""The report as a reader sees it: opened in headless Chromium, in light, in dark and on paper, without a word on the console.

Pictures are decoded here (PNG by its own rules) so that 'dark' is a measured colour and not a flag that was passed.
"""

import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.network.picture import draw
from bootstrap.runs import report
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Change, ChangeKind
from bootstrap.views.network_diagram import run_graphviz
from tests.unit.network import everything

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None or shutil.which("pdftotext") is None,
    reason="chromium and poppler-utils are not installed; './bootstrap.py test' installs them",
)
SECONDS = 180
Browser = Callable[..., str]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Runs Chromium over a page with some flags; returns what it told, the page's console included."""
    profile = tmp_path_factory.mktemp("profile")

    def run(page: Path, *flags: str) -> str:
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={profile}", "--enable-logging=stderr", "--window-size=1000,1300", *flags]
        done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=SECONDS)
        assert 0 == done.returncode, done.stderr[-3000:]
        return done.stdout + "\n".join(line for line in done.stderr.splitlines() if ":CONSOLE" in line)

    return run


@pytest.fixture(scope="module", params=["passing", "failing"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a whole run, and of one that failed, with everything that a page can show."""
    run = Run("20260101T000000Z-abcd", Journal(tmp_path_factory.mktemp(request.param)))
    run.event("run-began", command="launch", environment="trial")
    run.event("versions", of={"tool": "0.1.0", "Jenkins": "2.568.2", "image": "ami-1 (debian-13-amd64)"})
    run.event("commit", commit="0123456789abcdef0123456789abcdef01234567")
    for act in ("stack", "host", "casc", "jobs"):
        with run.act(act, f"the act {act}"):
            for number in range(40):
                run.change(
                    Change(act, ChangeKind.ALTER, f"{act} thing {number}", "a detail", "@@ -1 +1 @@\n-old\n+new")
                )
    run.notice("the emulator is used instead")
    run.event("resources", of=[{"stack": "s", "name": "Vpc", "type": "AWS::EC2::VPC", "id": "vpc-1"}])
    for number in range(30):
        run.event("check", name=f"check {number}", group="machine", outcome="passed", detail="")
    if request.param == "failing":
        run.event("check", name="nginx runs", group="machine", outcome="failed", detail="it is <stopped>")
        run.event("evidence", title="boot log", text="kernel: panic\n" * 50)
        run.event("run-failed", error="StackFailed", doing="making x", found="Vpc: limit", remedy="ask for more")
    else:
        run.event("run-ended", seconds=1.0, changes=160)
    return report.write(run.journal.path)


def test_nothing_is_said_on_the_console(browser: Browser, page: Path) -> None:
    shown = browser(page, "--dump-dom")

    assert ":CONSOLE" not in shown
    assert "thing 39" in shown


def test_the_console_would_be_heard(browser: Browser, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<!doctype html><script>console.error('heard')</script>")

    assert "heard" in browser(wrong, "--dump-dom").partition(":CONSOLE")[2]


def test_it_follows_the_readers_light_or_dark(browser: Browser, page: Path, tmp_path: Path) -> None:
    light, dark = tmp_path / "light.png", tmp_path / "dark.png"
    browser(page, f"--screenshot={light}")
    browser(page, f"--screenshot={dark}", "--blink-settings=preferredColorScheme=0")

    assert corner(light) == (255, 255, 255)
    assert max(corner(dark)) < 40


def test_it_prints_whole_also_what_is_folded_on_the_screen(browser: Browser, page: Path, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    browser(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")

    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    words = " ".join(text.split())
    wanted = [
        "stack thing 0",
        "jobs thing 39",
        "+new",
        "the emulator is used instead",
        "check 29",
        "vpc-1",
        "0123456789ab",
    ]
    wanted += ["StackFailed", "Vpc: limit", "ask for more", "kernel: panic"] if "failed" in words else []
    assert [] == [word for word in wanted if word not in words]
    assert 5 <= text.count("\f") <= 40


def scriptable(page: Path) -> str:
    """The page without its policy, which forbids scripts, that of these tests, too; its styles stay as they are."""
    text, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    assert 1 == count
    return text


def test_the_policy_of_the_page_forbids_scripts(browser: Browser, page: Path, tmp_path: Path) -> None:
    asking = tmp_path / "asking.html"
    asking.write_text(page.read_text() + "<script>document.title = 'a script ran'</script>")

    assert "a script ran</title>" not in browser(asking, "--dump-dom")


def test_nothing_is_wider_than_the_screen(browser: Browser, page: Path, tmp_path: Path) -> None:
    asking = tmp_path / "asking.html"
    script = (
        "<script>document.title = document.documentElement.scrollWidth - document.documentElement.clientWidth</script>"
    )
    asking.write_text(scriptable(page) + script)

    for width in (1000, 600):
        shown = browser(asking, "--dump-dom", f"--window-size={width},1300")
        assert "0" == "".join(re.findall(r"<title>(.*?)</title>", shown)), width


def corner(picture: Path) -> tuple[int, int, int]:
    """The colour of a PNG's first pixel (8 bits, RGB or RGBA); at the first pixel every filter but the first adds zero."""
    data = picture.read_bytes()
    offset, packed, kind = 8, b"", 0
    while offset < len(data):
        length, name = struct.unpack(">I4s", data[offset : offset + 8])
        body = data[offset + 8 : offset + 8 + length]
        kind = body[9] if name == b"IHDR" else kind
        packed += body if name == b"IDAT" else b""
        offset += 12 + length
    assert kind in {2, 6}
    row = zlib.decompress(packed)
    return row[1], row[2], row[3]


@pytest.fixture(scope="module", params=["per-zone", "one"])
def pictured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with the picture of a network that has everything."""
    run = Run("20260101T000000Z-abcd", Journal(tmp_path_factory.mktemp(request.param)))
    run.event("run-began", command="network", environment="trial")
    drawn = draw(everything.network(request.param), everything.SURROUNDINGS, everything.NAME, run_graphviz)
    (run.folder / "network.svg").write_text(drawn)
    run.event("picture", path="network.svg")
    run.event("run-ended", seconds=1.0, changes=0)
    return report.write(run.journal.path)


# Of every box its texts must be inside, and no two texts of the picture may meet; what is found wrong becomes the page's title.
MEASURING = """<script>
const wrong = [], texts = [...document.querySelectorAll('.network g.node text')].filter(it => it.textContent.trim());
const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
for (const text of texts) {
  const shapes = [...text.parentNode.querySelectorAll('path, polygon')].filter(it => it.getAttribute('fill') !== 'none');
  const box = text.getBoundingClientRect();
  if (shapes.length && !shapes.some(it => inside(box, it.getBoundingClientRect()))) wrong.push('outside: ' + text.textContent);
}
const spread = texts.map(it => [it.textContent.trim(), it.getBoundingClientRect()]);
spread.forEach(([a, p], i) => spread.slice(i + 1).forEach(([b, q]) => {
  if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > 2 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 4)
    wrong.push('meet: ' + a + ' / ' + b);
}));
const page = document.documentElement, picture = document.querySelector('.network').getBoundingClientRect();
if (page.scrollWidth > page.clientWidth || picture.right > page.clientWidth) wrong.push('wider than the page');
document.title = texts.length + ' texts; ' + wrong.join('; ');
</script>"""


def test_the_picture_stands_in_the_page_each_text_in_its_box_and_none_over_another(
    browser: Browser, pictured: Path, tmp_path: Path
) -> None:
    asking = tmp_path / "asking.html"
    asking.write_text(scriptable(pictured) + MEASURING)

    shown = browser(asking, "--dump-dom", "--window-size=1100,1300")

    count, _, wrong = re.findall(r"<title>(\d+) texts(; )(.*?)</title>", shown)[0]
    assert "" == wrong
    assert int(count) > 100
    assert ":CONSOLE" not in shown


def test_the_picture_prints_on_one_page_of_its_own(browser: Browser, pictured: Path, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    browser(pictured, f"--print-to-pdf={paper}", "--no-pdf-header-footer")

    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    with_it = [
        number for number, page in enumerate(text.split("\f")) if "public-1" in page or "Who may reach whom" in page
    ]
    assert 1 == len(with_it)


def test_why_there_is_no_picture_is_said(tmp_path: Path) -> None:
    run = Run("20260101T000000Z-abcd", Journal(tmp_path))
    run.event("run-began", command="network", environment="trial")
    run.event("no-picture", reason="the program 'dot' is <not> there")

    assert "No picture: the program &#39;dot&#39; is &lt;not&gt; there" in report.write(run.journal.path).read_text()
