"""The HTTP server of the local cloud: it receives requests as AWS does, and passes each one to moto or to the engine.

It decides where a request goes, which requests run one after another, and what an error looks like. It also serves the control
endpoints, and it injects the faults that tests arm. Other packages import single modules of it, never `server.server`.
Imported by: local.aws.__main__, access, cloudformation, compute, packet_filter, scaling.
"""
