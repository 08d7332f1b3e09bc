#!/usr/bin/env python3
"""A stand-in for AWS' session-manager-plugin: it joins its standard streams with the sshd that the answer's URL names.

Its arguments and answer are those of the real one (session.go of its source); what it was called with is written down.
"""

import json
import os
import socket
import sys
import threading
import urllib.request
from pathlib import Path


def credentials() -> dict[str, str]:
    """As the SDK of the real one finds them where there is neither a key in the environment nor a profile."""
    token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={"Authorization": token})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(os.environ.get("PLUGIN_VERSION", "1.2.896.0"))
        return
    variable, region, operation, profile, request, endpoint = sys.argv[1:]
    answer = json.loads(os.environ.pop(variable))
    with Path(os.environ["PLUGIN_CALLS"]).open("a", encoding="utf-8") as calls:
        call = {"argv": sys.argv, "answer": answer, "pid": os.getpid(), "credentials": credentials()}
        calls.write(json.dumps(call | {"aws": sorted(it for it in os.environ if it.startswith("AWS_"))}) + "\n")
    assert (operation, profile) == ("StartSession", "")
    assert region and endpoint and json.loads(request)["Target"]
    # As the real one does, before anything of SSH.
    print(f"\nStarting session with SessionId: {answer['SessionId']}", flush=True)
    if answer["StreamUrl"].startswith("ws://"):  # a refused data channel: the real one goes on waiting
        threading.Event().wait()
    host, _, port = answer["StreamUrl"].removeprefix("wss://").partition(":")
    try:
        stream = socket.create_connection((host, int(port)), timeout=5)
    except OSError as error:
        print(f"Cannot perform start session: {error}", flush=True)
        return
    stream.settimeout(None)

    def upward() -> None:
        while data := os.read(0, 1024):
            stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)

    threading.Thread(target=upward, daemon=True).start()
    while data := stream.recv(1 << 15):
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]


main()
