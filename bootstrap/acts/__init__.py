"""The five acts of a launch: stack, host, casc, jobs, verify. One module for each act, and nothing else.

An act takes what the act before it returned. It can be planned without being applied, and it changes nothing when the
environment is already as the code says. It does not know whether the cloud is AWS or the local cloud, and it never imports
another act.
Packages on higher floors may import it.
"""
