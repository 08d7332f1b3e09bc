"""The rules for nftables that make route tables, network ACLs and security groups effective between machines.

It builds the rules from EC2's own answers, without the analyser in `bootstrap.network`, so that each can be tested against the
other. It loads the rules and replaces them after every change. The server imports it.
"""
