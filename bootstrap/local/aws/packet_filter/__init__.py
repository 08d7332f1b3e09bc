"""What nftables must let through so that route tables, ACLs and security groups hold between machines.

It compiles the rules from EC2's own answers, without the analyser of `bootstrap.network`, and keeps the table as it must be.
The server imports it.
"""
