"""Talking to the Jenkins on the machine, over the client that the world lends."""
