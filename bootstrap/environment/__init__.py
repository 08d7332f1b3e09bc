"""The environment file: what a person wishes, read into frozen, typed settings.

It decides which keys there are, what is wrong with a file (every fault with line and column), and who holds an environment's
lock. It asks no cloud. Everything above imports it; it imports only the network's own vocabulary and the values.
"""
