"""What CloudFormation does to a stack: create, update, delete, import, continue, cancel and roll back.

It decides the order of resources, what happens when one fails, and what nested stacks and signals wait for. How one resource is
made is the adapters' matter; what differs between two templates is that of `comparison`. The API imports it.
"""
