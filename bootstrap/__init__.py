"""The Jenkins-as-code bootstrap toolkit: one command from nothing to a working, verified Jenkins.

The package reads top-down: `cli` owns the command line, `launch` is the play of five acts, `acts` holds the acts, `remote`
converges a machine, `local` is the cloud on this machine. `values` and `errors` are what all of them speak in.
"""
