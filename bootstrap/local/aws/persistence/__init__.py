"""What the server of the local cloud keeps on disk: the journal of requests, its format, and the seeds for random ids.

It decides what is written before an answer is sent. A server that was killed therefore comes back with everything that it has
answered. The server, the patches, `compute` and `access` import it.
"""
