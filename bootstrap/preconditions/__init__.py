"""The conditions for a change, checked before it begins: account, hosted zones, removal of networks, inputs of the host act.

It decides whether a change may begin; an error names what prevents it. It also collects the inputs of the host act, lists the
running builds that a change would interrupt, and makes the policies of IAM with the rights that launching and operating need,
from the source of the toolkit and the templates. It does not change anything itself. `views.drift` imports it, too: the one
exception in docs/floors.yaml.
Packages on higher floors may import it.
"""
