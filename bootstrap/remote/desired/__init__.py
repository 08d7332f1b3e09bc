"""The desired state of a machine, as data: an ordered list of resources.

`state` builds the list from `base` (packages, hardening), `jenkins`, `proxy` and `toolkit`; `inputs` defines the values that
these need. It decides what a machine must have, never how the machine gets it: `remote.converge` does that.
Imported by: acts, cloud, doctor, jenkins, preconditions, remote.artifacts, remote.drain, views.people.
"""
