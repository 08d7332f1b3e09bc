"""The nftables rules that enforce route tables, network ACLs and security groups between machines.

It compiles the rules from what EC2's API returns. It does not use the analyser in `bootstrap.network`, so that tests can
compare the two. It loads the rules, and replaces them after every change.
Imported by: server.
"""
