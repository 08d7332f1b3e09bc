"""Browser sessions and crumbs: both live in memory and end with the process, as under Jenkins' own container."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass


@dataclass
class Session:
    """One browser: its random id, who logged in with it, and when it was last seen."""

    identifier: str
    user: str
    seen: float


class Sessions:
    """All sessions, and the crumbs that are bound to them."""

    def __init__(self, salt: str, idle_seconds: float) -> None:
        self._salt, self._idle_seconds = salt.encode(), idle_seconds
        self._sessions: dict[str, Session] = {}
        # Jenkins names its cookie anew at each start, so that two controllers on one host do not fight for it.
        self.cookie = f"JSESSIONID.{secrets.token_hex(4)}"

    def find(self, identifier: str | None) -> Session | None:
        """The live session of a cookie's value."""
        session = self._sessions.get(identifier or "")
        if session is None:
            return None
        if time.monotonic() - session.seen > self._idle_seconds:
            del self._sessions[session.identifier]
            return None
        session.seen = time.monotonic()
        return session

    def open(self, user: str) -> Session:
        """A new session; logging in always opens one, so that a planted id is worth nothing."""
        now = time.monotonic()
        self._sessions = {key: held for key, held in self._sessions.items() if now - held.seen <= self._idle_seconds}
        session = Session(f"node0{secrets.token_hex(16)}", user, now)
        self._sessions[session.identifier] = session
        return session

    def close(self, session: Session) -> None:
        """Log out."""
        self._sessions.pop(session.identifier, None)

    def crumb(self, user: str, session: Session) -> str:
        """The crumb of a user in a session (DefaultCrumbIssuer: a SHA-256 over user and session id, salted)."""
        return hashlib.sha256(f"{user};{session.identifier}".encode() + self._salt).hexdigest()

    def is_crumb(self, text: str, user: str, session: Session | None) -> bool:
        """Whether a posted crumb is the one of this user in this HTTP session."""
        return session is not None and hmac.compare_digest(text.encode(), self.crumb(user, session).encode())
