"""A build's result is one of five, whatever a Jenkinsfile or a file of the build says; and no page runs what got into it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.emulator.execution import resuming
from bootstrap.local.emulator.failures import StepFailed
from bootstrap.local.emulator.model.build_record import ORDER, read_result
from bootstrap.local.emulator.model.builds import Build
from bootstrap.local.emulator.steps import current_build
from bootstrap.local.emulator.web import pages

SCRIPT = "<script>alert(1)</script>"


class Job(SimpleNamespace):
    """As much of a job as a build asks for."""

    directory = Path("/nowhere")
    is_pipeline = True
    root = None


def a_build(**properties: Any) -> Build:
    return Build(Job(), SimpleNamespace(all=list), 1, **properties)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ORDER)
def test_a_result_is_read_in_letters_of_either_case(name: str) -> None:
    assert {read_result(name), read_result(name.lower())} == {name}


@pytest.mark.parametrize("text", [SCRIPT, "GREAT", "", "SUCCESS ", "success\n", "SUCCESS\x00"])
def test_what_is_no_result_is_a_failure(text: str) -> None:
    assert read_result(text) == "FAILURE"
    build = a_build()
    build.worsen(text)
    assert build.result == "FAILURE"


def test_a_result_gets_no_better() -> None:
    build = a_build(result="ABORTED")
    build.worsen(SCRIPT)
    assert build.result == "ABORTED"


def set_result(value: str | None, reference: str = "") -> Build:
    """What `currentBuild.result = value` does; `reference` is that of another build."""
    build = a_build()
    build.save = lambda: None  # type: ignore[method-assign]
    other = a_build()
    engine = SimpleNamespace(build=build)
    build.history = SimpleNamespace(find=lambda _: other, all=list)  # type: ignore[assignment]
    arguments = {"name": "result", "value": value, "reference": reference}
    call = SimpleNamespace(engine=engine, arguments=arguments, read_text=lambda name: str(arguments[name] or ""))
    asyncio.run(current_build.set_build_value(call))  # type: ignore[arg-type]
    return build


def test_a_jenkinsfile_sets_one_of_the_five() -> None:
    assert [set_result(value).result for value in (SCRIPT, "unstable", "", None)] == [
        *("FAILURE", "UNSTABLE", "FAILURE"),
        None,
    ]


def test_a_jenkinsfile_sets_nothing_of_another_build() -> None:
    with pytest.raises(StepFailed, match="can only set the result property on the current build"):
        set_result("SUCCESS", reference="lastBuild")


def test_a_file_of_the_build_is_not_believed(tmp_path: Path) -> None:
    text = "<flow-build><actions/><result>&lt;script&gt;</result></flow-build>"
    folder = tmp_path / "7"
    folder.mkdir()
    (folder / "build.xml").write_text(text)
    assert Build.load(Job(), SimpleNamespace(all=list), folder).result == "FAILURE"  # type: ignore[arg-type]


def test_what_a_resumed_build_kept_is_not_believed() -> None:
    build = a_build()
    past = SimpleNamespace(state={"result": SCRIPT, "changes": [], "stages": []}, secrets={})
    resuming.restore(build, past)  # type: ignore[arg-type]
    assert build.result == "FAILURE"


def test_a_mark_of_a_page_escapes_its_build() -> None:
    assert "<script>" not in pages._render_result(a_build(result=SCRIPT))


def test_every_page_forbids_scripts_and_styles_but_its_own() -> None:
    controller = SimpleNamespace(home=SimpleNamespace(options=SimpleNamespace(version="2")))
    page = pages.render_notice(controller, 404, SCRIPT)  # type: ignore[arg-type]
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert found is not None and style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in found[1] and "default-src 'none'" in found[1]
    assert "script-src" not in found[1] and "unsafe" not in found[1] and "<script>" not in page
    assert page.index("Content-Security-Policy") < page.index("<title>")
