"""The process that answers as AWS: the socket, the dispatch to moto or the engine, control and faults on demand.

It decides which request goes where, one at a time where order matters, and in whose name a refusal is told. It knows the engine
and the instances by the few calls that it makes. `local.aws.__main__` starts it.
"""
