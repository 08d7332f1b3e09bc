"""Reads plugins, settings and jobs of another Jenkins, and writes them as files that this toolkit takes.

It decides what can be carried over, and gives a reason for everything that cannot. It only reads: `source` is the one door to
that Jenkins. Nothing that it answers is trusted: sizes, names, XML and YAML are checked before they are used. It knows nothing
of machines or AWS, and of environment files only which names of secrets the toolkit keeps for itself.
Packages on higher floors may import it.
"""
