"""Agents of the REST interface: their files, and the order of labels."""

from __future__ import annotations

from pathlib import Path

from bootstrap.local.emulator.model import xmlfile
from bootstrap.local.emulator.model.configuration import NodeSettings
from bootstrap.local.emulator.model.nodes import Nodes, render_node, sort_labels


def test_labels_have_the_order_of_javas_hash_set() -> None:
    assert ["n1", "l1", "l2"] == sort_labels({"l1", "l2", "n1"})  # as recorded


def test_an_agent_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = NodeSettings("n1", "nd", ("n1", "l1", "l2"), 2, "/tmp/agent", True)
    Nodes(tmp_path, {}).put("n1", render_node(settings))

    nodes = Nodes(tmp_path, {})
    nodes.load()

    assert ["n1"] == [node.name for node in nodes.settings]
    assert (2, "/tmp/agent", True) == (
        nodes.settings[0].executors,
        nodes.settings[0].folder,
        nodes.settings[0].is_exclusive,
    )


def test_a_posted_agent_keeps_what_it_names_and_the_name_of_its_url(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path, {})
    nodes.put(
        "n1", nodes.parse(b"<slave><name>other</name><label>z</label><unknown/><remoteFS>/x</remoteFS></slave>", "n1")
    )

    body = xmlfile.serialise_for_client(nodes.find("n1")).decode().partition("\n")[2]

    assert body == (
        "<slave>\n  <name>n1</name>\n  <remoteFS>/x</remoteFS>\n  <label>z</label>\n  <nodeProperties/>\n</slave>"
    )
