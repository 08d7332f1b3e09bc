"""The server of the local cloud: moto's service APIs, with a CloudFormation engine of our own in front of them.

It decides what a call to AWS does and answers on this machine. It does not know who calls: the toolkit, a machine or another
program. `local.cloud` starts it as a process (`python -m bootstrap.local.aws`); a restarted server reads its journal and has
the same resources with the same ids.
Imported by: no package.
"""
