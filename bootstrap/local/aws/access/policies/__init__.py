"""Evaluates IAM's policies: documents, conditions, the decision, and the permissions that each operation needs.

`evaluation.decide` is the only evaluator. The server calls it before each call, except calls of the operator;
SimulatePrincipalPolicy calls it, too. `attached` finds the policies of a caller, `actions` and `resources` find the actions and
the resources of an operation, and `request_context` finds the condition keys of a call.
Imported by: access, patches, server.
"""
