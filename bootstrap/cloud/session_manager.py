"""SSH through Session Manager: no port is open anywhere, AWS itself carries the stream between here and the machine's sshd.

The session is asked for through the API (document AWS-StartSSHSession); what AWS answers is handed to AWS' own
session-manager-plugin, which speaks the protocol of the data channel. Its token travels in the plugin's environment, which only
this user can read, never in its arguments.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.errors import Missing, Unreachable

PLUGIN = "session-manager-plugin"
INSTALL = (
    "Install it as 'Install the Session Manager plugin' in the user guide of AWS Systems Manager says (a signed .deb); "
    "or set access.ssh to 'direct' or 'bastion'."
)
# The oldest version that AWS supports (user guide, 'Session Manager plugin latest version and release history'); the answer is
# taken from the environment since 1.2.536.0.
OLDEST = (1, 2, 764, 0)
_DOCUMENT = "AWS-StartSSHSession"
_ANSWER = "AWS_SSM_START_SESSION_RESPONSE"
_BEGINNING = 4096  # bytes before SSH's own banner in which the plugin may say what is wrong
_SECONDS = 5.0  # in which a plugin that is told to end does


class NotConnected(OSError):
    """The machine's agent has not reported to Session Manager yet, or no longer: worth another attempt."""


class Session:
    """The stream of one session, as a socket: what paramiko and the forwarding need of one.

    The plugin reads and writes one end of a socket pair, so that reading waits in the kernel and not in a loop.
    """

    def __init__(self, ssm: Any, told: dict[str, Any], command: list[str], environment: dict[str, str]) -> None:
        self._ssm = ssm
        self._id = str(told["SessionId"])
        self._beginning: bytes | None = b""
        self._said = bytearray()
        self._socket, theirs = socket.socketpair()
        with theirs:
            # A session of its own: Ctrl-C at the terminal is ours to handle, and must not end the stream under a command.
            self._plugin = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def recv(self, size: int, /) -> bytes:
        """Some bytes; none at the end. An end before SSH's banner is an error that tells what the plugin said."""
        try:
            data = self._socket.recv(size)
        except ConnectionResetError:  # the plugin ended without reading all that it was sent
            data = b""
        if self._beginning is None:
            return data
        self._beginning += data
        if b"SSH-" in self._beginning or len(self._beginning) > _BEGINNING:
            self._beginning = None
        elif not data:
            raise ConnectionError(f"the session ended at once: {self._reason(self._beginning)}")
        return data

    def send(self, data: bytes, /) -> int:
        """Send some; how many bytes went."""
        return self._socket.send(data)

    def sendall(self, data: bytes, /) -> None:
        """Send them all, or raise OSError."""
        self._socket.sendall(data)

    def settimeout(self, seconds: float | None, /) -> None:
        """How long reading and writing wait."""
        self._socket.settimeout(seconds)

    def shutdown(self, how: int, /) -> None:
        """End one direction."""
        self._socket.shutdown(how)

    @property
    def _closed(self) -> bool:
        """What paramiko asks of its socket while it waits for its own thread to end."""
        return self._socket.fileno() == -1

    def close(self) -> None:
        """End the plugin and, so that it does not linger until it has been idle for long, the session."""
        self._socket.close()
        if self._plugin.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._plugin.pid, signal.SIGTERM)
            try:
                self._plugin.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                self._plugin.kill()
                self._plugin.wait()
        session, self._id = self._id, ""
        if session:
            # A session that has ended already, or a policy without ssm:TerminateSession: nothing to be done about either.
            with contextlib.suppress(ClientError, BotoCoreError):
                self._ssm.terminate_session(SessionId=session)

    def _listen(self) -> None:
        assert self._plugin.stderr is not None
        with self._plugin.stderr as stream:
            while line := stream.readline():
                self._said = bytearray((bytes(self._said) + line)[-_BEGINNING:])

    def _reason(self, beginning: bytes) -> str:
        lines = (beginning + bytes(self._said)).decode(errors="replace").splitlines()
        told = [line.strip() for line in lines if line.strip() and not line.startswith("Starting session")]
        return "; ".join(told) or "the plugin printed nothing"


def open_session(ssm: Any, instance_id: str, port: int = 22) -> Session:
    """A stream to that port of the instance.

    Missing where the plugin is not installed; NotConnected where the machine's agent is not (yet) there; Unreachable for what
    another attempt would not change.
    """
    plugin = shutil.which(PLUGIN)
    doing = f"connecting to {instance_id} through Session Manager"
    if plugin is None:
        raise Missing(doing, f"the program {PLUGIN} is not installed", INSTALL)
    request = {"Target": instance_id, "DocumentName": _DOCUMENT, "Parameters": {"portNumber": [str(port)]}}
    try:
        told = ssm.start_session(**request)
    except ClientError as error:
        raise _refused(doing, error) from error
    answer = json.dumps({key: told[key] for key in ("SessionId", "TokenValue", "StreamUrl")})
    # In the order in which the AWS CLI calls it: answer, region, operation, profile, request, endpoint.
    arguments = [_ANSWER, ssm.meta.region_name, "StartSession", os.environ.get("AWS_PROFILE", "")]
    command = [plugin, *arguments, json.dumps(request), ssm.meta.endpoint_url]
    return Session(ssm, told, command, {**os.environ, _ANSWER: answer})


def _refused(doing: str, error: ClientError) -> Exception:
    code = str(error.response["Error"].get("Code", "refused"))
    message = str(error.response["Error"].get("Message", error))
    if code == "TargetNotConnected":
        return NotConnected(f"{code}: {message}")
    remedies = {
        "AccessDeniedException": "These credentials need ssm:StartSession for the instance and for the document "
        f"{_DOCUMENT}; 'doctor --policy' prints the whole policy.",
        "InvalidDocument": f"{_DOCUMENT} is a document of AWS; check whether an organization's policy denies it.",
    }
    return Unreachable(doing, f"{code}: {message}", remedies.get(code, "'doctor' checks identity, region and plugin."))
