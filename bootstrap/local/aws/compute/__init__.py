"""EC2 instances that are containers: launch, images, keys, addresses, metadata, interruptions of Spot Instances.

It decides when a container is started, stopped or removed, and what its metadata service answers. `local.machines` runs the
containers; this package knows nothing of podman.
Imported by: local.aws.__main__, packet_filter, patches, server.
"""
