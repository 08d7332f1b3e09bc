"""Talking to a running Jenkins: requests, errors, builds, settings and jobs that somebody edited, and what a plan shows.

It decides how an answer of Jenkins is shown to a person. It does not know how Jenkins was installed or where it runs: it is
given a client or a shell. The acts, preconditions, planning, the drift view, the launch and the command `build` import it.
"""
