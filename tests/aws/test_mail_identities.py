"""SES' two APIs and the mail server of the local cloud agree on who may send, and the environment's sender is among them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.local.aws.patches import Patches
from bootstrap.local.aws.server.mail_place import MailPlace, make_senders
from tests.aws.conftest import Cloud, free_port

SENDER, REGION = "jenkins@Example.org", "eu-central-1"


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Cloud]:
    """A cloud with a mail server, whose environment sends as SENDER."""
    options = ("--region", REGION, "--mail-port", str(free_port()), "--mail-sender", SENDER)
    own = Cloud(tmp_path / "cloud", free_port(), options=options)
    own.start()
    yield own
    own.end()


def read_identities(cloud: Cloud, address: str) -> tuple[list[str], list[str], list[str]]:
    """The identities by the first API, by the second one, and what both say about one of them."""
    first, second = cloud.client("ses"), cloud.client("sesv2")
    attributes = first.get_identity_verification_attributes(Identities=[address])["VerificationAttributes"]
    told = [it["VerificationStatus"] for it in attributes.values()]
    try:
        answer = second.get_email_identity(EmailIdentity=address)
        told += [answer["VerificationStatus"], str(answer["VerifiedForSendingStatus"])]
    except ClientError as error:
        told.append(error.response["Error"]["Code"])
    listed = [it["IdentityName"] for it in second.list_email_identities()["EmailIdentities"]]
    return sorted(first.list_identities()["Identities"]), sorted(listed), told


def send(cloud: Cloud, sender: str) -> Any:
    body = {"Subject": {"Data": "it"}, "Body": {"Text": {"Data": "it"}}}
    return cloud.client("ses").send_email(Source=sender, Destination={"ToAddresses": ["a@b.org"]}, Message=body)


def test_the_environments_sender_is_an_identity_also_after_a_restart(sending: Cloud) -> None:
    expected = ([SENDER], [SENDER], ["Success", "SUCCESS", "True"])
    assert expected == read_identities(sending, SENDER)
    assert [] == sending.new_client("ses", region="us-east-1").list_identities()["Identities"]
    sending.end()
    sending.start()
    assert expected == read_identities(sending, SENDER)


def test_a_deleted_identity_is_gone_for_all_and_stays_so(sending: Cloud) -> None:
    """Not only a listing is made up: what is deleted can send no more."""
    send(sending, SENDER)
    sending.client("sesv2").delete_email_identity(EmailIdentity=SENDER)
    for _ in range(2):
        assert ([], [], ["NotFoundException"]) == read_identities(sending, SENDER)
        with pytest.raises(ClientError, match="not verified"):
            send(sending, SENDER)
        sending.end()
        sending.start()


def test_a_domain_covers_its_addresses_in_any_case(sending: Cloud) -> None:
    sending.client("sesv2").create_email_identity(EmailIdentity="firm.org")
    send(sending, "Team <team@Firm.org>")
    send(sending, "team@builds.firm.org")
    with pytest.raises(ClientError, match="not verified"):
        send(sending, "team@otherfirm.org")
    # Neither of them is an identity that could be deleted.
    sending.client("ses").delete_identity(Identity="team@firm.org")
    assert ["firm.org", SENDER] == sorted(sending.client("ses").list_identities()["Identities"])


def test_the_mail_server_takes_what_ses_has() -> None:
    """The server reads the same identities, also if nobody used SES before."""
    place = MailPlace(587, SENDER, "eu-north-1")
    patches = Patches("salt", lambda: pytest.fail("no instance is asked for"), place.identify_sender())
    senders = make_senders(place, lambda _: True, patches.load)
    assert senders.is_verified(SENDER.lower())
    assert not senders.is_verified("team@example.org")

    from moto.ses.models import ses_backends

    backend = ses_backends["123456789012"]["eu-north-1"]
    backend.verify_domain("example.org")
    assert senders.is_verified("team@example.org")
    backend.delete_identity("example.org")
    backend.delete_identity(SENDER)
    assert not senders.is_verified(SENDER)
