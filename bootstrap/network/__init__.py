"""The network analyser: which machine reaches which, by routes, ACLs, security groups and gateways, as EC2 describes them.

It decides whether a path is open, and which hop closes it. It takes a snapshot and returns verdicts and pictures; only
`snapshot` and `surroundings` call EC2. It knows neither stacks nor environment files.
Packages on higher floors may import it.
"""
