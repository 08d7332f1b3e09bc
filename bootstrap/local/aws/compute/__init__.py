"""EC2 instances that are containers: launch, images, keys, metadata, lifecycle hooks.

It decides when a container is started, stopped or removed, and what its metadata service answers. `local.machines` runs the
containers. The server, the patches and the packet filter import it.
"""
