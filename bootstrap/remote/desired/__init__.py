"""The desired state of a machine, as data: an ordered list of resources.

`state` puts the list together from `base` (packages, hardening), `jenkins`, `proxy` and `toolkit`; `inputs` is what they are
told. It decides what a machine must have, never how that is reached: `remote.converge` does it. The host act and what gathers
its inputs import it.
"""
