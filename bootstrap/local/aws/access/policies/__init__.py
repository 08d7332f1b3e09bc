"""IAM's policies, evaluated: documents, conditions, the decision, and what each operation needs.

`evaluation.decide` is the one evaluator of this project: the server asks it before a call is carried out, and
SimulatePrincipalPolicy, and so `doctor` and the tests, answer by it. It knows documents and texts alone; who has which policies
(`attached`), which actions an operation takes on which resources (`operations`, `resources`), and under which circumstances
(`request_context`) are looked up beside it.
"""
