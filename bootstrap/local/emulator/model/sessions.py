"""Browser sessions and crumbs. Both exist only in memory and end with the process, as in Jenkins' own servlet container."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass


@dataclass
class Session:
    """The session of a browser: its random id, its user, and the time of its last request (monotonic seconds)."""

    identifier: str
    user: str
    seen: float


class Sessions:
    """All sessions, and the crumbs that are bound to them."""

    def __init__(self, salt: str, idle_seconds: float) -> None:
        self._salt, self._idle_seconds = salt.encode(), idle_seconds
        self._sessions: dict[str, Session] = {}
        # Jenkins chooses a new name of the cookie at each start, so that two controllers on one host use different cookies.
        self.cookie = f"JSESSIONID.{secrets.token_hex(4)}"

    def find(self, identifier: str | None) -> Session | None:
        """Find the session of a cookie's value; None if there is none, or if it was idle for too long."""
        session = self._sessions.get(identifier or "")
        if session is None:
            return None
        if time.monotonic() - session.seen > self._idle_seconds:
            del self._sessions[session.identifier]
            return None
        session.seen = time.monotonic()
        return session

    def open(self, user: str) -> Session:
        """Open a session; every login opens a new one, so that an id from before the login gives no rights."""
        now = time.monotonic()
        self._sessions = {key: held for key, held in self._sessions.items() if now - held.seen <= self._idle_seconds}
        session = Session(f"node0{secrets.token_hex(16)}", user, now)
        self._sessions[session.identifier] = session
        return session

    def close(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.identifier, None)

    def make_crumb(self, user: str, session: Session) -> str:
        """Make the crumb of a user in a session: a salted SHA-256 of user and session id, as DefaultCrumbIssuer does."""
        return hashlib.sha256(f"{user};{session.identifier}".encode() + self._salt).hexdigest()

    def is_crumb(self, text: str, user: str, session: Session | None) -> bool:
        """Whether a posted crumb belongs to this user and this session."""
        return session is not None and hmac.compare_digest(text.encode(), self.make_crumb(user, session).encode())
