"""The server of the local cloud: moto's service APIs, with a CloudFormation engine of our own in front of them.

    python -m bootstrap.local.aws --state DIR --port P --environment NAME

`server` puts the parts together. Every call of moto goes through `server.door`, which writes each changing request into a
journal; a restarted server replays the journal and has the same resources with the same ids. `patches` holds every change of
moto, `cloudformation` the engine, `compute` instances and their metadata service, `packet_filter` the rules for nftables, and
`persistence` the journal. No other package imports it: `local.cloud` starts it as a process.
"""
