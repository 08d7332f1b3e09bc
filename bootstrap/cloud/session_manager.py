"""SSH through Session Manager: no port is open, because AWS forwards the stream between this machine and sshd on the instance.

The session is started through the API (document AWS-StartSSHSession). The answer is passed to the session-manager-plugin of
AWS, which implements the protocol of the data channel. The token is passed in the plugin's environment, which only this user
can read, and not in its arguments. The plugin uses the toolkit's own credentials (`lent_credentials`): it does not know every
way to log in, and it needs fresh credentials whenever it resumes a session.
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
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bootstrap.cloud import data_channel
from bootstrap.cloud.lent_credentials import Lender
from bootstrap.errors import Missing, SessionRefused

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
_BEGINNING = 4096  # the longest message of the plugin before SSH's banner, in bytes
_SECONDS = 5.0  # the longest time to wait for the end of the plugin
_LAST_WORDS = 1.0  # the longest time to wait for the error output of a plugin that has ended
_SILENCE = 10.0  # seconds without a byte of SSH, after which the service is asked whether it refuses the data channel


class NotConnected(OSError):
    """The agent on the instance is not connected to Session Manager (yet): another attempt can succeed."""


class Session:
    """The stream of one session, with the methods of a socket that paramiko and the forwarding use.

    The plugin reads and writes one end of a socket pair, so that reading blocks in the kernel. `refusal` is an error that
    another attempt would not change; `find_refusal` looks for it if the plugin sends nothing.
    """

    def __init__(
        self,
        ssm: Any,
        answer: dict[str, Any],
        command: list[str],
        environment: dict[str, str],
        find_refusal: Callable[[], SessionRefused | None],
    ) -> None:
        self._ssm = ssm
        self.refusal: SessionRefused | None = None
        self._id = str(answer["SessionId"])
        self._beginning: bytes | None = b""
        self._error_output = bytearray()
        self._socket, plugin_end = socket.socketpair()
        with plugin_end:
            # The plugin gets a process session of its own: Ctrl-C must not end it, because the toolkit handles Ctrl-C.
            self._plugin = subprocess.Popen(
                command,
                stdin=plugin_end.fileno(),
                stdout=plugin_end.fileno(),
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._ended = threading.Event()
        threading.Thread(target=self._watch, args=(find_refusal,), daemon=True).start()

    def recv(self, size: int, /) -> bytes:
        """Read some bytes; none at the end. ConnectionError, with the plugin's message, if it ends before SSH's banner."""
        try:
            data = self._socket.recv(size)
        except ConnectionResetError:  # the plugin ended without reading all that it was sent
            data = b""
        if self._beginning is None:
            return data
        self._beginning += data
        if b"SSH-" in self._beginning or len(self._beginning) > _BEGINNING:
            self._beginning = None
        elif not data and self.refusal is not None:
            raise ConnectionError(self.refusal.found)
        elif not data:
            raise ConnectionError(f"the session ended at once: {self._find_reason(self._beginning)}")
        return data

    def send(self, data: bytes, /) -> int:
        """Send some bytes; returns how many were sent.

        Before SSH's banner, a plugin that has ended takes everything: paramiko, which writes first, would drop the cause of
        an error here. The `recv` that follows raises it.
        """
        try:
            return self._socket.send(data)
        except (BrokenPipeError, ConnectionResetError):
            if self._beginning is None:
                raise
            return len(data)

    def sendall(self, data: bytes, /) -> None:
        """Send all bytes, or raise OSError."""
        self._socket.sendall(data)

    def settimeout(self, seconds: float | None, /) -> None:
        """Set how long reading and writing wait, in seconds; None waits without limit."""
        self._socket.settimeout(seconds)

    def shutdown(self, how: int, /) -> None:
        """Close one direction of the stream."""
        self._socket.shutdown(how)

    @property
    def _closed(self) -> bool:
        """Whether the socket is closed; paramiko reads this while it waits for the end of its thread."""
        return self._socket.fileno() == -1

    def close(self) -> None:
        """End the plugin and the session; otherwise the session would exist until its idle time-out."""
        self._ended.set()
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
            # The session has ended already, or ssm:TerminateSession is not allowed: both are no errors here.
            with contextlib.suppress(ClientError, BotoCoreError):
                self._ssm.terminate_session(SessionId=session)

    def _watch(self, find_refusal: Callable[[], SessionRefused | None]) -> None:
        """End a session whose data channel is refused; the plugin would wait for ever without a message."""
        if self._ended.wait(_SILENCE) or self._beginning is None:
            return
        self.refusal = find_refusal()
        if self.refusal is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        assert self._plugin.stderr is not None
        with self._plugin.stderr as stream:
            while line := stream.readline():
                self._error_output = bytearray((bytes(self._error_output) + line)[-_BEGINNING:])

    def _find_reason(self, beginning: bytes) -> str:
        self._listener.join(_LAST_WORDS)  # the plugin has ended: what it wrote is read in a moment
        lines = (beginning + bytes(self._error_output)).decode(errors="replace").splitlines()
        messages = [line.strip() for line in lines if line.strip() and not line.startswith("Starting session")]
        return "; ".join(messages) or "the plugin printed nothing"


def open_session(ssm: Any, credentials: Any, lender: Lender, instance_id: str, port: int = 22) -> Session:
    """Open a stream to a port of the instance, with botocore's `credentials`, which `lender` lends to the plugin.

    Missing if the plugin is not installed; NotConnected if the agent on the instance is not connected (yet); SessionRefused for
    errors that another attempt would not change.
    """
    plugin = shutil.which(PLUGIN)
    doing = f"connecting to {instance_id} through Session Manager"
    if plugin is None:
        raise Missing(doing, f"the program {PLUGIN} is not installed", INSTALL)
    request = {"Target": instance_id, "DocumentName": _DOCUMENT, "Parameters": {"portNumber": [str(port)]}}
    try:
        session = ssm.start_session(**request)
    except ClientError as error:
        raise _convert_refusal(doing, instance_id, error) from error
    response = json.dumps({key: session[key] for key in ("SessionId", "TokenValue", "StreamUrl")})
    # The arguments as the AWS CLI passes them: answer, region, operation, profile, request, endpoint. A profile would come
    # before the credentials that are lent.
    region = str(ssm.meta.region_name)
    command = [plugin, _ANSWER, region, "StartSession", "", json.dumps(request), ssm.meta.endpoint_url]

    def find_refusal() -> SessionRefused | None:
        return _find_refusal(doing, session, credentials, region)

    return Session(ssm, session, command, {**lender.make_environment(os.environ), _ANSWER: response}, find_refusal)


def _find_refusal(doing: str, session: dict[str, Any], credentials: Any, region: str) -> SessionRefused | None:
    try:
        reason = data_channel.find_refusal(session["StreamUrl"], credentials, region)
    except BotoCoreError as error:
        reason = f"{type(error).__name__}: {error}"  # the credentials cannot be refreshed any more
    if not reason:
        return None
    resource = f"session/{str(session['SessionId']).rpartition('-')[0]}-*"
    remedy = (
        f"These credentials need ssmmessages:OpenDataChannel on {resource}; 'doctor --policy' prints the whole policy. The "
        "policies of the organization and of an interface endpoint for ssmmessages can deny it, too. If the credentials have "
        "expired, log in again."
    )
    host = data_channel.read_host(session["StreamUrl"])
    return SessionRefused(doing, f"{host} refuses the data channel of the session: {reason}", remedy)


def _convert_refusal(doing: str, instance_id: str, error: ClientError) -> Exception:
    code = str(error.response["Error"].get("Code", "refused"))
    message = str(error.response["Error"].get("Message", error))
    if code == "TargetNotConnected":
        return NotConnected(f"{code}: {message}")
    remedies = {
        "AccessDeniedException": f"These credentials need ssm:StartSession on instance/{instance_id} and on "
        f"document/{_DOCUMENT}; 'doctor --policy' prints the whole policy.",
        "InvalidDocument": f"{_DOCUMENT} is a document of AWS; check whether an organization's policy denies it.",
    }
    return SessionRefused(
        doing, f"{code}: {message}", remedies.get(code, "'doctor' checks identity, region and plugin.")
    )
