"""What the AWS on this machine remembers over a restart: its journal of requests, the format, the randomness.

It decides what is written down before an answer is given, so that a killed server comes back with what it had promised. The
server, the patches and `compute` import it.
"""
