"""What must hold or be known before something is changed: account, hosted zones, network removal, host inputs.

It decides whether a change may begin, and refuses with the name of what stands in the way. It gathers what the host act needs,
and tells what a change interrupts. The play, what stands above it, and (the one exception
in docs/floors.yaml) `views.drift` import it.
"""
