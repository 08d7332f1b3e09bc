"""Requests to a running Jenkins: refusals, builds, edits of settings and jobs, and the differences that a plan shows.

It decides how an answer of Jenkins is shown to a person. It does not know how Jenkins was installed or where it runs: the
caller passes a client or a shell.
Imported by: acts, cli.commands, importing, launch, planning, preconditions, views.
"""
