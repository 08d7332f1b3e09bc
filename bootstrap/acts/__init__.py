"""The five acts of a launch: stack, host, casc, jobs, verify, a module for each; and the act on an account.

An act takes what the act before it returned. It can be planned without being applied, and it changes nothing when the
environment is already as the code says. It does not know whether the cloud is AWS or the local cloud, and it never imports
another act. Only the act on an account, which no launch carries out, brings its stack up by the stack act.
Packages on higher floors may import it.
"""
