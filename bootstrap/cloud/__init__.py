"""The doors to AWS: clients, the instance, secrets, certificates, tags, sessions, refusals.

It decides how AWS is reached and how its refusals are told. It knows nothing of stacks' templates, acts or commands; the cloud
on this machine is the same AWS behind another endpoint. `jenkins.controller`, the acts and what stands above import it.
"""
