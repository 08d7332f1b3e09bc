"""The network analyser: who reaches whom, by routes, ACLs, security groups and gateways, as EC2 describes them.

It decides the verdict on a path and the hop that stops it. It is pure: a snapshot goes in, verdicts and pictures come out, and
only `snapshot` and `beside` call EC2. The environment's vocabulary, the preconditions and the views import it.
"""
