"""The program that runs on the machine, as root, and brings it to a desired state, which is data.

It arrives with its document in one SSH exec (see `bootstrap.remote.program`), so it imports nothing but itself and Python
3.11's standard library. `main` goes through the resources in order; every other module knows a few kinds of resource. The
function of a kind only compares, and returns the action that would change the machine: a check therefore cannot change
anything.
Imported by: acts.host, jenkins.controller.journal.
"""
