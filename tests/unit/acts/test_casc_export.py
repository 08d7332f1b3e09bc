"""The export of Jenkins' settings: what it leaves out, and what a Jenkins answers that gives none."""

import pytest

from bootstrap.acts import casc
from bootstrap.errors import BootstrapError, Unreachable


def test_an_export_is_free_of_comments_and_ciphertexts(server) -> None:
    text = '# made now\njenkins:\n  a: "{AQAABAAA+/=}"\n  b: "#jbcrypt:$2a$10$abc"\n\n'
    server.on("POST", "configuration-as-code/export", text)

    assert 'jenkins:\n  a: "***"\n  b: "***"\n' == casc.export(server.client)


LABELS = """\
jenkins:
  labelAtoms:
  - name: "built-in"
  - name: "gpu"
    properties:
    - "some"
  - name: "i-0123"
  labelString: "x"
"""


def test_an_export_is_free_of_labels_that_only_have_a_name(server) -> None:
    """Agents bring them and take them away; they are no settings."""
    server.on("POST", "configuration-as-code/export", LABELS)
    kept = LABELS.replace('  - name: "built-in"\n', "").replace('  - name: "i-0123"\n', "")
    assert kept == casc.export(server.client)

    server.on("POST", "configuration-as-code/export", LABELS.replace('    properties:\n    - "some"\n', ""))
    assert 'jenkins:\n  labelString: "x"\n' == casc.export(server.client)
    server.on("POST", "configuration-as-code/export", 'jenkins:\n  labelAtoms:\n  - name: "a"\n')
    assert "jenkins:\n" == casc.export(server.client)


def test_a_refused_export_says_that_the_token_may_be_wrong(server) -> None:
    server.on("POST", "configuration-as-code/export", (401, {}, "Invalid password/token"))

    with pytest.raises(BootstrapError, match="exporting") as caught:
        casc.export(server.client)

    assert "'casc apply' renews it" in caught.value.remedy


def test_a_jenkins_that_does_not_answer_is_unreachable(server, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    def broken(*_: object, **__: object) -> None:
        raise requests.ConnectionError("refused")

    monkeypatch.setattr(server, "send", broken)

    with pytest.raises(Unreachable):
        casc.export(server.client)
