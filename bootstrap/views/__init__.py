"""Read-only looks at an environment: status, leftovers, inventory, drift, network, mail, enforcement.

It decides what is worth telling of what exists. It changes nothing: what a look finds, an act mends. The preconditions, the
play, the doctor and the command line import it.
"""
