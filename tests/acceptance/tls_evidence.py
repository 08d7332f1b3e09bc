"""What the checks look at from this side of the network: the controller's TLS, and the ports that must be closed."""

from __future__ import annotations

import base64
import ssl
from concurrent.futures import ThreadPoolExecutor

from handshake import Spoken, is_open, offer, speak
from subject import Subject


def spoken(subject: Subject) -> Spoken:
    """The sign-in page, as a browser gets it."""
    return speak(subject.place, subject.context.controller.authority, "/login")


def signed_in(subject: Subject) -> Spoken:
    """A session, as a browser gets it: a crumb is made for one, and so brings one into being."""
    controller = subject.context.controller
    # Where people sign in at a provider, Jenkins knows no password of the toolkit's user.
    word = controller.token if subject.context.settings.provider else controller.password
    given = base64.b64encode(f"{controller.user}:{word.reveal()}".encode()).decode()
    return speak(subject.place, controller.authority, "/crumbIssuer/api/json", f"Basic {given}")


def offers(subject: Subject) -> dict[str, str]:
    """What comes of offering each protocol version alone."""
    versions = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    return {version.name: offer(subject.place, version) for version in versions}


def open_ports(subject: Subject) -> dict[int, bool]:
    """Which of the ports that must be closed are open, seen from here: plain HTTP, and Jenkins' own."""
    address = subject.context.machine.address
    with ThreadPoolExecutor() as pool:
        return dict(zip((80, 8080), pool.map(lambda port: is_open(address, port), (80, 8080)), strict=True))
