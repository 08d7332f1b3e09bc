"""Everything that `./bootstrap.py` does. Read `launch` first: the play of five acts.

The packages stand on floors (docs/floors.yaml, drawn in docs/architecture.md): each imports only what stands below it. The
root holds the play, one opened environment (`context`) and what all packages speak in: `errors`, `values`, `wording`.
"""
