"""The five acts of a launch: stack, host, casc, jobs, verify; one module each and nothing else.

An act takes what the act before returned, can be planned without being applied, and changes nothing when everything holds
already. It never asks whether the cloud is AWS or the one on this machine, and never imports another act. `launch`,
`context`, `preconditions`, `views` and what stands above them import acts.
"""
