"""A CloudFormation of our own in front of moto's service APIs.

`api` answers CloudFormation's requests, `engine` runs stack operations, `template`, `parameters` and `intrinsics` read
templates, `changes` compares, `schemas` knows what a type's properties are and which of them replace it, `store` keeps the
stacks on disk, and `adapters` make, alter and delete each type of resource by calling the service's API.
"""
