"""Read-only views of an environment: status, leftovers, inventory, drift, network, mail, packet filter.

It decides which facts about existing resources are shown. It changes nothing; the acts do. The preconditions, the play, the
doctor and the command line import it.
"""
