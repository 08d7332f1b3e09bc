"""The local cloud's own CloudFormation, in front of moto's service APIs.

`api` answers CloudFormation's requests, `operations` runs stack operations, `template` reads and checks templates, `comparison`
compares, `store` keeps the stacks on disk, `adapters` make, alter and delete each type of resource by calling the service's
API, and `reading` reads its properties back.
Imported by: server.
"""
