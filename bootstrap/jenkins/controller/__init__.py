"""Talking to a running Jenkins: requests and refusals, builds, what somebody edited, what a plan shows.

It decides how an answer of Jenkins is told to a person. It knows nothing of how Jenkins was installed or where it runs: it is
given a client. The acts import it, and the views and commands that look at builds and edits.
"""
