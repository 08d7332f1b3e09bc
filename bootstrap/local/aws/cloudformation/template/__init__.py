"""A template: parsed, checked and resolved, with parameters, intrinsic functions, rules and limits.

It decides what a template means and whether CloudFormation would accept it, by the resource schemas of cfn-lint. It calls no
service.
Imported by: adapters, api, comparison, operations, reading.
"""
