"""The environment file: the settings that a person writes, read into frozen, typed values.

It decides which keys exist and what is wrong with a file (every fault with line and column). It also holds the lock that allows
one command at a time on an environment. It calls no cloud, no Jenkins and no machine. Of the network it knows the words of
intentions and the names of path ends.
Packages on higher floors may import it.
"""
