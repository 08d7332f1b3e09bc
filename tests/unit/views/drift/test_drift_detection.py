"""The look at every place: one that cannot be looked at hides no other."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from bootstrap.errors import StackMissing, Unreachable
from bootstrap.runs.journal import Journal, Run
from bootstrap.views.drift import Drifted
from bootstrap.views.drift import detection as looking

LINE = Drifted("stack", "a", "b", "c")


def test_a_place_that_cannot_be_looked_at_is_told_and_a_lost_machine_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def place(name: str, result: object):
        def find() -> list[Drifted]:
            asked.append(name)
            if isinstance(result, Exception):
                raise result
            return [LINE]

        return find

    places = {
        "stacks": place("stacks", StackMissing("", "there is none\nat all", "")),
        "security group": place("security group", None),
        "machine": place("machine", Unreachable("", "no answer", "")),
        "jobs": place("jobs", None),
    }
    monkeypatch.setattr(looking, "_list_places", lambda *_: places)
    run = Run("r", Journal(tmp_path))

    found = looking.find_drift(None, run)  # type: ignore[arg-type]

    assert (LINE,) == found.lines
    assert [
        ("stacks", "not looked at: there is none"),
        ("machine", "not looked at: no answer"),
        ("jobs", "not looked at: the machine cannot be reached"),
    ] == [(it.name, it.found) for it in found.unseen]
    assert ["stacks", "security group", "machine"] == asked


@pytest.mark.parametrize(
    ("text", "drifted"), [('{"authority": "a", "key": "k"}', []), ('{"authority_key": "k"}', ["./bootstrap.py launch"])]
)
def test_the_authoritys_key_beside_the_certificates_is_drift(text: str, drifted: list[str]) -> None:
    client = SimpleNamespace(
        get_secret_value=lambda SecretId: {"SecretString": text},  # noqa: N803
        exceptions=SimpleNamespace(ClientError=ValueError),
    )
    context = SimpleNamespace(
        world=SimpleNamespace(aws=lambda _: client), outputs=lambda _: {"CertificatesSecret": "arn"}
    )

    assert drifted == [it.remedy for it in looking._find_certificate_drift(context, "./bootstrap.py")]  # type: ignore[arg-type]


def test_a_stack_that_may_not_be_looked_at_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of AWS is a line of its own, and never 'no differences'."""
    denied = ValueError("AccessDenied: not authorized to perform: cloudformation:DetectStackDrift\nmore")

    def detect(_: object, name: str, again: str) -> list[Drifted]:
        if name == "data":
            raise denied
        return [LINE]

    monkeypatch.setattr(looking, "_detect", detect)
    client = SimpleNamespace(exceptions=SimpleNamespace(ClientError=ValueError))
    existing = {name: SimpleNamespace(name=f"p-e-{name}") for name in ("data", "network")}
    context = SimpleNamespace(world=SimpleNamespace(aws=lambda _: client), wanted=("data", "network"), stacks=existing)

    refused, found = looking._find_stack_drift(context, "./bootstrap.py")  # type: ignore[arg-type]

    assert LINE == found
    assert ("p-e-data", True) == (refused.name, refused.is_unseen)
    assert "not looked at: AccessDenied: not authorized to perform: cloudformation:DetectStackDrift" == refused.found
