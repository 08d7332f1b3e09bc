"""A template: parsed, checked and resolved, with parameters, intrinsic functions, rules and limits.

It decides what a template says and whether CloudFormation would take it, by the resource schemas that cfn-lint ships. It calls
no service. Everything else in the engine imports it.
"""
