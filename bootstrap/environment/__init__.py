"""The environment file: the settings that a person writes, read into frozen, typed values.

It decides which keys exist and what is wrong with a file (every fault with line and column). It also holds the lock that allows
one command at a time on an environment. It calls no cloud. All packages above import it. It imports the values, the errors,
`runs.state_folder`, and from `network` the intentions with their functions and the names of path ends.
"""
