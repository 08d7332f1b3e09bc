"""IAM's policies, evaluated: documents, conditions, the decision, and what each operation needs.

`evaluation.decide` is the only evaluator. The server calls it before each call, except those of the operator;
SimulatePrincipalPolicy calls it, too. It gets documents and texts. `attached` finds who has which policies, `actions` and
`resources` find which actions an operation takes on which resources, and `request_context` finds the circumstances. The other
modules of `access`, and `server.clients`, import this package.
"""
