"""The AWS of the local cloud: moto's service APIs, a CloudFormation engine of our own in front of them, and a memory.

    python -m bootstrap.local.aws --state DIR --port P --environment NAME

`server` wires the parts, and `server.door` is the only way to moto (it numbers, seeds and journals every mutating request, so
that a restart is the same cloud); `patches` holds every change of moto; `cloudformation` is the engine; `compute` has the
instances and their metadata service; `packet_filter` has nftables' rules; `persistence` has the journal.
"""
