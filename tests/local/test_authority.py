"""The environment's authority on a launched environment: an earlier version's is taken over by the next launch."""

import socket
import ssl
from collections.abc import Iterator

import pytest
from forging import earlier, earlier_text
from trial import Launched

from bootstrap.preconditions import host_inputs

SEPARATE = "The key of the environment's authority is in a secret of its own"
LIMITED = "The environment's authority signs for the names and addresses of the environment alone"


def shake_hands(address: str, authority: str) -> str:
    """The protocol of a connection that trusts that authority alone."""
    context = ssl.create_default_context(cadata=authority)
    with socket.create_connection((address, 443)) as plain, context.wrap_socket(plain, server_hostname=address) as made:
        return made.version() or ""


@pytest.fixture
def old_authority(launched: Launched) -> Iterator[str]:
    """An authority without limits, whose key lies beside the certificates; nginx serves what it signed."""
    context = launched.context
    kept, key = earlier(host_inputs.list_subjects(context))
    arn = context.outputs("data")["CertificatesSecret"]
    context.world.aws("secretsmanager").put_secret_value(SecretId=arn, SecretString=earlier_text(kept, key))
    yield kept.authority_pem
    launched.reopen()


def test_the_next_launch_moves_the_key_and_nobody_needs_a_new_certificate(
    launched: Launched, old_authority: str
) -> None:
    drifted = launched.run("drift")
    red = launched.run("verify", "--only", SEPARATE, "--only", LIMITED)

    told = launched.done("launch", "--skip-verify")

    assert (2, 1) == (drifted.returncode, red.returncode), drifted.stdout + red.stdout
    assert "is beside the certificates" in drifted.stdout
    assert "certificate authority" in told and "its key moves to a secret of its own" in told
    context = launched.reopen()
    assert old_authority != context.controller.authority
    for authority in (old_authority, context.controller.authority):
        assert "TLSv1.3" == shake_hands(context.machine.address, authority)
    launched.done("verify", "--only", SEPARATE, "--only", LIMITED)
    assert "certificate authority" not in launched.done("launch", "--skip-verify")
