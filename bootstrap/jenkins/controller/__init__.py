"""Talking to a running Jenkins: requests and refusals, builds, what somebody edited, what a plan shows.

It decides how an answer of Jenkins is told to a person. It knows nothing of how Jenkins was installed or where it runs: it
is given a client or a shell. The acts, preconditions, planning, the view of drift, the play and the command `build` import
it.
"""
