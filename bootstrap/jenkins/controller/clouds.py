"""The clouds of a running Jenkins: they are those that the groups of agents in the environment file make.

`definitions.fleets` makes the wished clouds as a document for Configuration as Code. They are sent to Jenkins when it runs, and
Jenkins keeps them in its own configuration. Each is made anew then; the agents of a cloud that has the same name stay, with
their builds.

What is compared is what Jenkins exports. An export makes each cloud once more, and so asks AWS for its group (Configuration as
Code, DataBoundConfigurator.describe; EC2FleetCloud). If one group is missing, or AWS does not answer, Jenkins exports a message
in place of all clouds. Then they are sent.

A node whose cloud is gone ends each look of the plugin at each of its clouds (EC2FleetCloud.updateByState), so that nothing
scales. Therefore the nodes of a cloud are deleted before it is removed, and looked for once more afterwards. A build on such a
node ends as it does when its agent is lost.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import edits, journal
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, explain_refusal
from bootstrap.jenkins.controller.differences import format_diff
from bootstrap.jenkins.definitions.fleets import KIND, name_credential
from bootstrap.values import Change, ChangeKind, Reporter, Shell

_UNKNOWN = "FAILED TO EXPORT"  # what Configuration as Code writes in place of a value that it cannot export
_NODE_CLASS = "com.amazon.jenkins.ec2fleet.EC2FleetNodeComputer"
# The name that a node shows is '<cloud> <instance>', and what is left of its uses behind it (EC2FleetNodeComputer).
_NODE = re.compile(r"(?P<cloud>\S+) (?P<instance>i-[0-9a-f]+)(?: Builds left: -?\d+ ?)?")
_MISSING_GROUP = "Cannot find auto scaling group"
_OUR_GROUP = re.compile(rf"{_MISSING_GROUP} with name \S+-agents-\S+")
_UNREACHABLE = ("Unable to execute HTTP request", "UnknownHostException", "Connection refused")
_NO_CREDENTIALS = "Unable to load credentials"
_OTHER_SCALER = re.compile("weighted|hardware", re.IGNORECASE)  # the plugin makes one that does not scale for itself
# Attributes that the document does not have, because it wants their defaults: nothing and false.
_LEFT_OUT = frozenset(
    {
        *("addNodeOnlyIfRunning", "awsCredentialsId", "credentialsId", "endpoint"),
        *("environmentVariables", "region", "scaleExecutorsByWeight"),
        *("javaPath", "jvmOptions", "suffixStartSlaveCmd", "workDir"),
    }
)


@dataclass(frozen=True)
class Node:
    """A node of a cloud of the plugin ec2-fleet: the name of its cloud, and its instance, by which Jenkins calls it."""

    cloud: str
    instance: str


def leave_out(exported: str, wished: str) -> str:
    """Exported settings without the clouds that this module compares.

    With wished clouds those are all; otherwise those of groups of agents, and the message in place of clouds that cannot be
    exported. A text without such clouds stays as it is.
    """
    document = _parse(exported) if "clouds:" in exported else None
    jenkins = document.get("jenkins") if document else None
    clouds = jenkins.get("clouds") if isinstance(jenkins, dict) else None
    if document is None or not isinstance(jenkins, dict) or clouds is None:
        return exported
    kept = [] if wished else [it for it in _list_clouds(clouds) if not _is_ours(it)]
    if kept and len(kept) == len(clouds):
        return exported
    jenkins.pop("clouds")
    if kept:
        jenkins["clouds"] = kept
    written = io.StringIO()
    YAML(typ="safe").dump(document, written)
    return written.getvalue()


def find_changes(exported: str, wished: str) -> tuple[Change, ...]:
    """What `apply` would change: one change for each cloud that is missing, differs, or must go.

    `exported` are the settings as Jenkins exports them, `wished` the document of `fleets.make_clouds`, '' for no clouds.
    Without wished clouds, only those of groups of agents go; a cloud that somebody made by hand is kept. If Jenkins cannot
    export its clouds because the group of one is gone, nobody can say which others there are: then all go.
    """
    desired = {_find_name(it): it for it in _list_clouds(_find_clouds(wished))}
    found = _find_clouds(exported)
    if isinstance(found, str):
        reason = f"Jenkins cannot export its clouds: {_shorten(found)}"
        if desired or not _OUR_GROUP.search(found):
            return tuple(Change("casc", ChangeKind.ALTER, f"cloud {name}", reason) for name in desired)
        return (Change("casc", ChangeKind.REMOVE, "clouds", f"all of them: {reason}"),)
    actual = {_find_name(it): it for it in _list_clouds(found) if desired or _is_ours(it)}
    changes = [
        Change("casc", ChangeKind.REMOVE, f"cloud {name}", "no group of agents in the environment file has this name")
        for name in actual
        if name not in desired
    ]
    for name, cloud in desired.items():
        if name not in actual:
            changes.append(Change("casc", ChangeKind.ADD, f"cloud {name}", f"agents of {_read(cloud, 'fleet')}"))
        elif differing := list(_find_differences(cloud, actual[name])):
            there = edits.format_setting(_leave_out_defaults(cloud, actual[name]))
            diff = format_diff(there, edits.format_setting(cloud), f"cloud {name}")
            changes.append(Change("casc", ChangeKind.ALTER, f"cloud {name}", "; ".join(differing), diff))
    return tuple(changes)


def apply(shell: Shell, jenkins: JenkinsClient, exported: str, wished: str, report: Reporter) -> None:
    """Bring Jenkins' clouds to `wished`, as `find_changes` takes it; nothing if they hold. Reports each change.

    BootstrapError if Jenkins refuses a cloud, with the cause from the journal of the service; then the old clouds are active.
    """
    changes = find_changes(exported, wished)
    if not changes:
        return
    foreign = [] if wished else [it for it in _list_clouds(_find_clouds(exported)) if not _is_ours(it)]
    kept = {_find_name(it) for it in [*_list_clouds(_find_clouds(wished)), *foreign]}
    _delete_nodes(jenkins, kept)
    if foreign:  # the list of clouds can only be set as a whole, and these must stay
        for change in changes:
            name = change.name.removeprefix("cloud ")
            path = f"cloud/{quote(name, safe='')}/doDelete"
            expect(ask(jenkins, "POST", path), f"removing the cloud {name} from Jenkins", 200, 302, 404)
    else:
        _send(shell, jenkins, wished or "jenkins:\n  clouds: []\n")
    _delete_nodes(jenkins, kept)  # those that a cloud made before it went
    for change in changes:
        report.change(change)


def list_nodes(jenkins: JenkinsClient) -> tuple[Node, ...]:
    """The nodes of all clouds of the plugin, those that are offline included; one request."""
    answer = ask(jenkins, "GET", "computer/api/json", params={"tree": "computer[_class,displayName]"})
    computers = expect(answer, "asking Jenkins for its nodes").json().get("computer", ())
    return tuple(node for node in map(_read_node, computers) if node is not None)


def _read_node(computer: Mapping[str, Any]) -> Node | None:
    match = _NODE.fullmatch(str(computer.get("displayName", "")))
    if computer.get("_class") != _NODE_CLASS or match is None:
        return None
    return Node(match["cloud"], match["instance"])


def _delete_nodes(jenkins: JenkinsClient, kept: Collection[str]) -> None:
    """Delete the nodes of all clouds that are not in `kept`. While the cloud is there, it ends the instances then."""
    for node in list_nodes(jenkins):
        if node.cloud not in kept:
            doing = f"deleting the agent {node.instance} of the cloud {node.cloud}, which goes"
            expect(ask(jenkins, "POST", f"computer/{node.instance}/doDelete"), doing, 200, 302, 404)


def _send(shell: Shell, jenkins: JenkinsClient, document: str) -> None:
    answer = _post(jenkins, "apply", document)
    if answer.status_code == 200:
        return
    found = explain_refusal(answer, journal.make_explainer(shell))
    clouds = _list_clouds(_find_clouds(document))
    faulty = _find_faulty(jenkins, clouds, found)
    named = ", ".join(f"{_find_name(it)} (group {_read(it, 'fleet')})" for it in faulty or clouds)
    doing = f"setting the clouds of Jenkins: {named}" if named else "removing the clouds of Jenkins"
    raise BootstrapError(doing, found, _advise(found))


def _find_faulty(jenkins: JenkinsClient, clouds: list[Any], found: str) -> list[Any]:
    """The clouds that a refusal is about: those whose groups it names, else those that Jenkins refuses when it checks them."""
    named = [it for it in clouds if re.search(rf"(?<![\w-]){re.escape(_read(it, 'fleet'))}(?![\w-])", found)]
    if named or len(clouds) < 2:
        return named or clouds
    documents = [yaml.safe_dump({"jenkins": {"clouds": [cloud]}}, sort_keys=False, width=4096) for cloud in clouds]
    checked = [_post(jenkins, "check", document).status_code for document in documents]
    return [cloud for cloud, status in zip(clouds, checked, strict=True) if status != 200]


def _post(jenkins: JenkinsClient, action: str, document: str) -> requests.Response:
    path = f"configuration-as-code/{action}"
    return ask(jenkins, "POST", path, body=document, content_type="application/x-yaml")


def _advise(found: str) -> str:
    if _MISSING_GROUP in found:
        return "The group has a stack of its own: run './bootstrap.py launch', which makes it, then the cloud."
    if _NO_CREDENTIALS in found:
        return (
            "Jenkins takes the role of its machine from the metadata service. Check role and firewall, then try again."
        )
    if any(each in found for each in _UNREACHABLE):
        return "Jenkins did not reach AWS from its machine; check its ways out, then run './bootstrap.py casc apply'."
    return (
        "The clouds that Jenkins had are active. Read its journal ('./bootstrap.py logs'), then run 'casc apply' again."
    )


def _parse(text: str) -> dict[str, Any] | None:
    try:
        document = YAML(typ="safe").load(text)
    except YAMLError:
        return None
    return document if isinstance(document, dict) else None


def _find_clouds(text: str) -> list[Any] | str:
    """The clouds in settings; the message of Jenkins where it could not export them."""
    document = _parse(text) or {}
    jenkins = document.get("jenkins")
    clouds = jenkins.get("clouds") if isinstance(jenkins, dict) else None
    if isinstance(clouds, str):
        return clouds if _UNKNOWN in clouds else ""
    for each in _list_clouds(clouds):
        if isinstance(each, str) and _UNKNOWN in each:
            return each
    return _list_clouds(clouds)


def _list_clouds(clouds: Any) -> list[Any]:
    return clouds if isinstance(clouds, list) else []


def _open(cloud: Any) -> tuple[str, Mapping[str, Any]]:
    """Kind and attributes of a cloud."""
    if isinstance(cloud, dict) and len(cloud) == 1:
        ((kind, attributes),) = cloud.items()
        return str(kind), attributes if isinstance(attributes, dict) else {}
    return str(cloud), {}


def _read(cloud: Any, key: str) -> str:
    return str(_open(cloud)[1].get(key, ""))


def _find_name(cloud: Any) -> str:
    return _read(cloud, "name") or _open(cloud)[0]


def _is_ours(cloud: Any) -> bool:
    """Whether a cloud was made for a group of agents: its credential has the name of one."""
    kind, attributes = _open(cloud)
    connector = attributes.get("computerConnector")
    ssh = connector.get("sshConnector") if isinstance(connector, dict) else None
    identity = ssh.get("credentialsId") if isinstance(ssh, dict) else None
    return kind == KIND and identity == name_credential(str(attributes.get("name", "")))


def _leave_out_defaults(desired: Any, actual: Any) -> Any:
    """A cloud as it is, without the attributes that only its export has."""
    if not isinstance(desired, dict) or not isinstance(actual, dict):
        return actual
    edited = {key for key in actual.keys() - desired.keys() if list(_find_extras({key: actual[key]}))}
    return {
        key: _leave_out_defaults(desired.get(key), actual[key]) for key in actual if key in desired or key in edited
    }


def _find_extras(extra: Mapping[str, Any]) -> Iterator[str]:
    """The attributes that the document leaves out and that do not have their defaults."""
    for key in sorted(_LEFT_OUT & extra.keys()):
        if extra[key] not in (None, "", False, [], "false"):
            yield key
    if _OTHER_SCALER.search(str(extra.get("executorScaler", ""))):
        yield "executorScaler"


def _find_differences(desired: Any, actual: Any, path: str = "") -> Iterator[str]:
    """The attributes of a cloud that are not as wished, as 'maxSize is 3, wished 5'."""
    if isinstance(desired, dict):
        there = actual if isinstance(actual, dict) else {}
        for key, value in desired.items():
            yield from _find_differences(value, there.get(key), key)
        extra = {key: value for key, value in there.items() if key not in desired}
        yield from (f"{key} is {_shorten(extra[key])}, wished nothing" for key in _find_extras(extra))
    elif _format(desired) != _format(actual):
        yield f"{path} is {_shorten(actual)}, wished {_shorten(desired)}"


def _format(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip()


def _shorten(value: Any) -> str:
    text = " ".join(_format("nothing" if value is None else value).split())
    return text if len(text) <= 120 else f"{text[:117]}..."
