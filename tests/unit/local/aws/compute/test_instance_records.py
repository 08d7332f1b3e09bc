"""What is written into moto's instance."""

from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from bootstrap.local.aws.compute.instance_records import set_reason


def test_a_reason_fits_into_an_answer_in_xml() -> None:
    """A runtime of containers quoted a NUL; every later DescribeInstances could not be read."""
    instance: Any = SimpleNamespace()
    set_reason(instance, "Server.InternalError", "exited with 126\nfound \x00, \x1b[31mred\x1b[0m")
    message = instance.state_reason.message
    assert "Server.InternalError: exited with 126\nfound , [31mred[0m" == message == instance._reason
    ElementTree.fromstring(f"<message>{message}</message>")
