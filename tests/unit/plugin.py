#!/usr/bin/env python3
"""A stand-in for AWS' session-manager-plugin: it joins its standard streams with the sshd that the answer's URL names.

Its arguments and answer are those of the real one (session.go of its source); what it was called with is written down.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print(os.environ.get("PLUGIN_VERSION", "1.2.896.0"))
        return
    variable, region, operation, profile, request, endpoint = sys.argv[1:]
    answer = json.loads(os.environ.pop(variable))
    with Path(os.environ["PLUGIN_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"argv": sys.argv, "answer": answer, "pid": os.getpid()}) + "\n")
    assert (operation, profile) == ("StartSession", os.environ.get("AWS_PROFILE", ""))
    assert region and endpoint and json.loads(request)["Target"]
    # As the real one does, before anything of SSH.
    print(f"\nStarting session with SessionId: {answer['SessionId']}", flush=True)
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
