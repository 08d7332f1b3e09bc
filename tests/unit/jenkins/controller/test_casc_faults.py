"""Where a fault of the settings stands, by what Jenkins says of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.jenkins.controller import casc_faults

TEN = """# the controller
jenkins:
  mode: NORMAL
  numExecutors: 2
  securityRealm:
    local:
      users:
        - id: admin
          propertys: []
"""
TWENTY = """unclassified:
  location:
    url: x
    adminAdress: y

nothing: 1
"""
FILES = {"10-controller.yaml": TEN, "20.yaml": TWENTY}
CHECK = "/configuration-as-code/check"

# What Jenkins says, the file that it was asked of ("" for a reload), and where the fault is.
SAID = {
    "a value beside its key": (
        "mode: Failed to set attribute 'mode'\n  at {}:3 (path: mode)",
        "10-controller.yaml:3:3",
    ),
    "a mapping below its key": (
        "x: Failed to configure 'securityRealm'\n  at {}:6 (path: securityRealm)",
        "10-controller.yaml:6:5",
    ),
    "the way to the fault": (
        "x: Failed to configure 'securityRealm': Failed to configure 'users': Failed to set attribute 'id'\n"
        "  at {}:6 (path: securityRealm)",
        "10-controller.yaml:8:11",
    ),
    "another thing than it names": ("Item isn't a Scalar {}:6", "10-controller.yaml:6:5"),
    "a list": (
        "x: Failed to configure 'a': Item isn't a Sequence {}:8\n  at {}:6 (path: securityRealm)",
        "10-controller.yaml:8:9",
    ),
    "YAML": (
        "while parsing a block mapping\n in {}, line 2, column 1:\n    jenkins:\n    ^\nexpected <block end>\n"
        " in {}, line 4, column 3:\n      numExecutors\n      ^\n",
        "10-controller.yaml:4:3",
    ),
    "an unknown attribute": (
        "users: Invalid configuration elements for type: class hudson.X : propertys.\nAvailable attributes : id, properties",
        "10-controller.yaml:9:11",
    ),
    "a deprecated attribute": ("'numExecutors' is deprecated", "10-controller.yaml:4:3"),
    "a restricted attribute": ("'numExecutors' is restricted: NoExternalUse", "10-controller.yaml:4:3"),
    "a line that there is not": ("x\n  at {}:99 (path: y)", "10-controller.yaml:1:1"),
}


def shown(fault: object) -> str:
    return str(fault).split(": ")[0].removeprefix("casc/")


@pytest.mark.parametrize("case", SAID)
def test_a_fault_in_a_posted_text(case: str) -> None:
    said, place = SAID[case]
    fault = casc_faults.parse_fault(said.replace("{}", CHECK), FILES, checked="10-controller.yaml")
    assert place == shown(fault)
    assert CHECK not in fault.message


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("source", ["10-controller.yaml", "/etc/jenkins/casc.d/10-controller.yaml"])
def test_a_fault_in_a_folder(case: str, source: str) -> None:
    said, place = SAID[case]
    fault = casc_faults.parse_fault(said.replace("{}", source), FILES)
    if "99" in said:
        assert (fault.file, fault.line, f"{source}:99" in fault.message) == ("casc", 1, True)
    else:
        assert place == shown(fault)


def test_a_name_is_searched_in_every_file_and_a_similar_one_is_suggested() -> None:
    said = (
        "location: Invalid configuration elements for type: class jenkins.model.JenkinsLocationConfiguration : adminAdress.\n"
        "Available attributes : adminAddress, url"
    )
    fault = casc_faults.parse_fault(said, FILES)
    assert "20.yaml:4:5" == shown(fault)
    assert fault.message.endswith("did you mean 'adminAddress'?")


@pytest.mark.parametrize("names", ["nothing", "nothing, other"])
def test_an_unknown_root_is_found(names: str) -> None:
    kind = "elements" if "," in names else "element"
    said = f"No configurator found for the following root {kind}: {names}. This may indicate a plugin."
    assert "20.yaml:6:1" == shown(casc_faults.parse_fault(said, FILES))
    assert "20.yaml:6:1" == shown(
        casc_faults.parse_fault(f"No configurator found for the following root {kind}: {names}", FILES)
    )


def test_one_of_several_keys_is_chosen_by_the_key_above() -> None:
    files = {"a.yaml": "one:\n  x: 1\ntwo:\n  x: 1\n"}
    said = "two: Invalid configuration elements for type: class a.B : x.\n"
    assert "a.yaml:4:3" == shown(casc_faults.parse_fault(said, files))


def test_a_place_in_an_unknown_file_stays_in_the_message() -> None:
    fault = casc_faults.parse_fault("x: broken\n  at other.yaml:3 (path: y)", FILES)
    assert ("casc", "other.yaml:3" in fault.message) == ("casc", True)
    assert "casc" == fault.file


def test_a_long_message_is_shortened() -> None:
    fault = casc_faults.parse_fault("\n".join(f"{number} {'x' * 9000}" for number in range(99)), FILES)
    assert len(fault.message) < 12 * 450


@given(
    st.text()
    | st.lists(st.sampled_from([*(said for said, _ in SAID.values()), "a:\n", "(path: ", " at ", "'", ":0 ", "{"])).map(
        "".join
    )
)
def test_any_message_and_any_text_give_a_place(said: str) -> None:
    for files, checked in (
        (FILES, "20.yaml"),
        (FILES, ""),
        ({"x.yaml": said}, "x.yaml"),
        ({"x.yaml": "a: &a [*a]"}, ""),
    ):
        fault = casc_faults.parse_fault(said, files, checked=checked)
        assert fault.line >= 1 and fault.column >= 1
