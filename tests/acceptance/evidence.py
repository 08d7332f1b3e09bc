"""What the checks look at, gathered once and at the same time: the machine, the controller, its TLS and the account.

Each function asks for one thing and judges nothing. `Evidence` starts those that the chosen checks need and hands out what
came back; what a function raises is raised for every check that needed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from account_evidence import (
    files_bucket,
    instance,
    kept_secrets,
    key_beside_certificates,
    machines_rights,
    network,
    security_groups,
    stacks_told,
    trust_in_people,
    volumes,
)
from controller_evidence import (
    canary_build,
    computers,
    controllers_state,
    exported_settings,
    forged_request,
    guessed_passwords,
    installed_plugins,
    job_changes,
    known_users,
    queue,
    sign_in_page,
    strangers_answers,
)
from machine_evidence import inspection, visible
from resource_tags import tags_of_resources
from subject import Subject
from tls_evidence import offers, open_ports, signed_in, spoken

GATHERERS: dict[str, Callable[[Subject], Any]] = {
    function.__name__: function
    for function in (
        # The slowest first, for they set how long it all takes.
        canary_build,
        inspection,
        visible,
        job_changes,
        open_ports,
        sign_in_page,
        strangers_answers,
        guessed_passwords,
        forged_request,
        controllers_state,
        computers,
        installed_plugins,
        exported_settings,
        known_users,
        queue,
        trust_in_people,
        spoken,
        signed_in,
        offers,
        tags_of_resources,
        stacks_told,
        instance,
        volumes,
        security_groups,
        kept_secrets,
        machines_rights,
        key_beside_certificates,
        files_bucket,
        network,
    )
}


class Evidence:
    """What was gathered, by the gatherers' names."""

    def __init__(self, subject: Subject, wanted: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(len(GATHERERS))
        names = set(wanted)
        self._found: dict[str, Future[Any]] = {
            name: self._pool.submit(gather, subject) for name, gather in GATHERERS.items() if name in names
        }
        # pytest deletes a variable of the environment after each test, and clients of HTTP copy the environment: a thread
        # that does so at that moment ends with KeyError. So no test ends before every thread has.
        wait(self._found.values())

    def of(self, name: str) -> Any:
        """What one gatherer returned, or its exception."""
        return self._found[name].result()

    def close(self) -> None:
        """Wait for whoever still gathers."""
        self._pool.shutdown()
