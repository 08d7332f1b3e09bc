"""Instances as EC2 has them, with containers behind: launch, images, keys, metadata, heartbeats, life-cycle hooks.

It decides when a container is made, stopped or gone, and what its metadata service tells. The containers themselves are
`local.machines`. The server, the patches and the
packet filter import it.
"""
